import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.file.DataFileReader;
import org.apache.avro.file.DataFileWriter;
import org.apache.avro.file.SeekableByteArrayInput;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;

/** Writes object container files of the same records with every codec, and the records in the notation. */
final class AvroFiles {
    private static final int RECORDS = 300;
    private static final byte[] SYNC = "flow sync marker".getBytes(StandardCharsets.US_ASCII);

    private AvroFiles() {}

    static void write(Path avro) throws IOException {
        Path dir = avro.resolve("files");
        Files.createDirectories(dir);
        Schema s = new Schema.Parser().parse(Files.readString(dir.resolve("order.avsc")));
        List<Object> records = new ArrayList<>();
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < RECORDS; i++) {
            GenericData.Record r = order(s, i);
            records.add(r);
            Object raw = read(file(s, List.of(r), CodecFactory.nullCodec()), AvroNotation.RAW).get(0);
            lines.append(Notation.line(AvroNotation.write(raw))).append('\n');
        }
        Files.writeString(dir.resolve("order.jsonl"), lines);
        Map<String, CodecFactory> codecs = Map.of("null", CodecFactory.nullCodec(), "deflate", CodecFactory.deflateCodec(6),
                "snappy", CodecFactory.snappyCodec(), "zstandard", CodecFactory.zstandardCodec(3), "bzip2", CodecFactory.bzip2Codec());
        for (var c : codecs.entrySet()) {
            keep(dir.resolve(c.getKey() + ".avro"), s, records, c.getValue());
        }
        keep(dir.resolve("empty.avro"), s, List.of(), CodecFactory.deflateCodec(6));
    }

    /** Leaves a file that holds the same records: compressors write other bytes from version to version. */
    private static void keep(Path path, Schema s, List<Object> records, CodecFactory codec) throws IOException {
        byte[] now = file(s, records, codec);
        if (Files.exists(path)) {
            byte[] there = Files.readAllBytes(path);
            if (read(there, AvroNotation.RAW).equals(read(now, AvroNotation.RAW)) && codecOf(there).equals(codecOf(now))) {
                return;
            }
        }
        Files.write(path, now);
    }

    private static byte[] file(Schema s, List<Object> records, CodecFactory codec) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (var w = new DataFileWriter<Object>(new GenericDatumWriter<>(s, AvroNotation.LOGICAL))) {
            w.setCodec(codec).setSyncInterval(4096).setMeta("written.by", "the oracle");
            w.create(s, out, SYNC);
            for (Object r : records) {
                w.append(r);
            }
        }
        return out.toByteArray();
    }

    private static List<Object> read(byte[] file, GenericData data) throws IOException {
        List<Object> list = new ArrayList<>();
        try (var r = new DataFileReader<>(new SeekableByteArrayInput(file), new GenericDatumReader<Object>(null, null, data))) {
            r.forEach(list::add);
        }
        return list;
    }

    private static String codecOf(byte[] file) throws IOException {
        try (var r = new DataFileReader<>(new SeekableByteArrayInput(file), new GenericDatumReader<Object>())) {
            return r.getMetaString("avro.codec");
        }
    }

    private static GenericData.Record order(Schema s, int i) {
        GenericData.Record customer = new GenericData.Record(s.getField("customer").schema());
        customer.put("name", "name " + i + " ä✓");
        customer.put("email", i % 3 == 0 ? null : "n" + i + "@example.com");
        GenericData.Record r = new GenericData.Record(s);
        r.put("id", 9007199254740993L + i);
        r.put("customer", customer);
        r.put("amount", new BigDecimal(BigInteger.valueOf((i - 150) * 12345L), 2));
        r.put("at", Instant.ofEpochSecond(1700000000L + i, 123456000L));
        r.put("tags", List.of("a" + i % 5, "b").subList(0, i % 3 == 2 ? 0 : i % 3 + 1));
        r.put("attributes", i % 4 == 0 ? Map.of() : Map.of("k", i / 8.0));
        r.put("kind", new GenericData.EnumSymbol(s.getField("kind").schema(), i % 2 == 0 ? "ONLINE" : "SHOP"));
        r.put("hash", new GenericData.Fixed(s.getField("hash").schema(), new byte[] {(byte) i, (byte) (i >> 8), 0, -1}));
        r.put("paid", i % 7 != 0);
        r.put("ratio", i / 4f);
        r.put("payload", java.nio.ByteBuffer.wrap(new byte[] {1, 2, (byte) i}));
        return r;
    }
}
