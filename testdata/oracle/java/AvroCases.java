import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.SchemaValidationException;
import org.apache.avro.SchemaValidationStrategy;
import org.apache.avro.SchemaValidator;
import org.apache.avro.SchemaValidatorBuilder;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.message.BinaryMessageEncoder;

/** Asks Avro to parse, encode, decode, resolve and compare. */
final class AvroCases {
    private static final HexFormat HEX = HexFormat.of();

    private AvroCases() {}

    static void answer(JsonNode c, ObjectNode result) throws Exception {
        switch (c.get("op").asText()) {
            case "schema" -> {
                Schema s = parse(c, "schema", result);
                if (s != null) {
                    describe(s, result);
                }
            }
            case "value" -> value(c, result);
            case "decode" -> {
                Schema s = parse(c, "schema", result);
                byte[] b = HEX.parseHex(c.path("hex").asText(""));
                read(result, "decode", b, s, s);
            }
            case "resolve" -> {
                Schema writer = parse(c, "writer", result);
                Schema reader = parse(c, "reader", result);
                byte[] b = encode(AvroNotation.value(c.get("value"), writer), writer);
                result.put("hex", HEX.formatHex(b));
                read(result, "resolve", b, writer, reader);
            }
            case "levels" -> levels(c, result);
            case "compatible" -> compatible(parse(c, "reader", result), parse(c, "writer", result), result);
            default -> throw new Notation.BadCase("no operation " + c.get("op"));
        }
    }

    private static Schema parse(JsonNode c, String member, ObjectNode result) {
        try {
            return new Schema.Parser().parse(c.get(member).toString());
        } catch (RuntimeException e) {
            if (!c.get("op").asText().equals("schema")) {
                throw e;
            }
            Oracle.failure(result, "parse", e);
            return null;
        }
    }

    private static void describe(Schema s, ObjectNode result) throws Exception {
        result.put("canonical", SchemaNormalization.toParsingForm(s));
        result.put("crc64", HEX.formatHex(SchemaNormalization.parsingFingerprint("CRC-64-AVRO", s)));
        result.put("md5", HEX.formatHex(SchemaNormalization.parsingFingerprint("MD5", s)));
        result.put("sha256", HEX.formatHex(SchemaNormalization.parsingFingerprint("SHA-256", s)));
    }

    private static void value(JsonNode c, ObjectNode result) throws Exception {
        Schema s = parse(c, "schema", result);
        describe(s, result);
        Object v = AvroNotation.value(c.get("value"), s);
        byte[] b;
        try {
            b = encode(v, s);
        } catch (RuntimeException e) {
            Oracle.failure(result, "encode", e);
            return;
        }
        result.put("hex", HEX.formatHex(b));
        ByteBuffer message = new BinaryMessageEncoder<>(AvroNotation.LOGICAL, s).encode(v);
        byte[] framed = new byte[message.remaining()];
        message.get(framed);
        result.put("single_object", HEX.formatHex(framed));
        result.set("logical", AvroNotation.write(decode(AvroNotation.LOGICAL, b, s, s)));
        result.set("raw", AvroNotation.write(decode(AvroNotation.RAW, b, s, s)));
    }

    private static void read(ObjectNode result, String stage, byte[] b, Schema writer, Schema reader) {
        try {
            result.set("raw", AvroNotation.write(decode(AvroNotation.RAW, b, writer, reader)));
        } catch (IOException | RuntimeException e) {
            Oracle.failure(result, stage, e);
        }
    }

    static byte[] encode(Object v, Schema s) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        BinaryEncoder e = EncoderFactory.get().binaryEncoder(out, null);
        new GenericDatumWriter<Object>(s, AvroNotation.LOGICAL).write(v, e);
        e.flush();
        return out.toByteArray();
    }

    private static Object decode(GenericData data, byte[] b, Schema writer, Schema reader) throws IOException {
        BinaryDecoder d = DecoderFactory.get().binaryDecoder(b, null);
        Object v = new GenericDatumReader<Object>(writer, reader, data).read(null, d);
        if (!d.isEnd()) {
            throw new IOException("bytes are left");
        }
        return v;
    }

    private static void compatible(Schema reader, Schema writer, ObjectNode result) {
        var verdict = SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getResult();
        result.put("compatible", verdict.getCompatibility() == SchemaCompatibility.SchemaCompatibilityType.COMPATIBLE);
        ArrayNode reasons = result.putArray("reasons");
        for (var i : verdict.getIncompatibilities()) {
            reasons.addObject().put("type", i.getType().name()).put("path", i.getLocation()).put("message", i.getMessage());
        }
    }

    /** Asks Avro's own walk over a history, with its own comparison of two schemas. */
    private static void levels(JsonNode c, ObjectNode result) {
        Schema next = parse(c, "schema", result);
        List<Schema> newestFirst = new ArrayList<>();
        for (JsonNode old : c.get("history")) {
            newestFirst.add(0, new Schema.Parser().parse(old.toString()));
        }
        SchemaValidationStrategy backward = (added, old) -> readable(added, old);
        SchemaValidationStrategy forward = (added, old) -> readable(old, added);
        SchemaValidationStrategy full = (added, old) -> {
            readable(added, old);
            readable(old, added);
        };
        ObjectNode levels = result.putObject("levels");
        Map.of("backward", backward, "forward", forward, "full", full).forEach((name, strategy) -> {
            levels.put(name, allowed(new SchemaValidatorBuilder().strategy(strategy).validateLatest(), next, newestFirst));
            levels.put(name + "_transitive", allowed(new SchemaValidatorBuilder().strategy(strategy).validateAll(), next, newestFirst));
        });
    }

    private static void readable(Schema reader, Schema writer) throws SchemaValidationException {
        if (SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getType() != SchemaCompatibility.SchemaCompatibilityType.COMPATIBLE) {
            throw new SchemaValidationException(reader, writer);
        }
    }

    private static boolean allowed(SchemaValidator v, Schema next, List<Schema> newestFirst) {
        try {
            v.validate(next, newestFirst);
            return true;
        } catch (SchemaValidationException e) {
            return false;
        }
    }
}
