import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.avro.Conversions;
import org.apache.avro.Schema;
import org.apache.avro.data.TimeConversions;
import org.apache.avro.generic.GenericArray;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericEnumSymbol;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.IndexedRecord;

/** The notation of README.md for Avro's values. */
final class AvroNotation {
    /** Values as they are encoded: a date is an int. */
    static final GenericData RAW = new GenericData();
    /** Values as their logical types have them: a date is a LocalDate. */
    static final GenericData LOGICAL = new GenericData();

    static {
        LOGICAL.addLogicalTypeConversion(new Conversions.DecimalConversion());
        LOGICAL.addLogicalTypeConversion(new Conversions.BigDecimalConversion());
        LOGICAL.addLogicalTypeConversion(new Conversions.UUIDConversion());
        LOGICAL.addLogicalTypeConversion(new TimeConversions.DateConversion());
        LOGICAL.addLogicalTypeConversion(new TimeConversions.TimeMillisConversion());
        LOGICAL.addLogicalTypeConversion(new TimeConversions.TimeMicrosConversion());
        LOGICAL.addLogicalTypeConversion(new TimeConversions.TimestampMillisConversion());
        LOGICAL.addLogicalTypeConversion(new TimeConversions.TimestampMicrosConversion());
        LOGICAL.addLogicalTypeConversion(new TimeConversions.TimestampNanosConversion());
        LOGICAL.addLogicalTypeConversion(new TimeConversions.LocalTimestampMillisConversion());
        LOGICAL.addLogicalTypeConversion(new TimeConversions.LocalTimestampMicrosConversion());
        LOGICAL.addLogicalTypeConversion(new TimeConversions.LocalTimestampNanosConversion());
    }

    private AvroNotation() {}

    /** The value has another type than the schema: of a union, the next branch is tried. */
    private static final class Mismatch extends RuntimeException {
        Mismatch(JsonNode n, Schema s) {
            super(n + " for " + s);
        }
    }

    static Object value(JsonNode n, Schema s) {
        if (s.getType() == Schema.Type.UNION) {
            for (Schema branch : s.getTypes()) {
                try {
                    return value(n, branch);
                } catch (Mismatch e) {
                    // The next one.
                }
            }
            throw new Mismatch(n, s);
        }
        if (n == null || n.isNull()) {
            if (s.getType() != Schema.Type.NULL) {
                throw new Mismatch(Notation.JSON.getNodeFactory().nullNode(), s);
            }
            return null;
        }
        String tag = Notation.tag(n);
        JsonNode v = n.get(tag);
        if (s.getLogicalType() != null) {
            switch (tag) {
                case "decimal": return Notation.decimal(v);
                case "uuid": return UUID.fromString(v.asText());
                case "local_date": return LocalDate.parse(v.asText());
                case "local_time": return LocalTime.parse(v.asText());
                case "local_datetime": return LocalDateTime.parse(v.asText());
                case "instant": return Instant.parse(v.asText());
                default: break; // as it is encoded
            }
        }
        return switch (s.getType()) {
            case BOOLEAN -> is(tag, "boolean", n, s).get(tag).booleanValue();
            case INT -> Integer.parseInt(is(tag, "int32", n, s).get(tag).asText());
            case LONG -> Long.parseLong(is(tag, "int64", n, s).get(tag).asText());
            case FLOAT -> Float.parseFloat(is(tag, "float32", n, s).get(tag).asText());
            case DOUBLE -> Double.parseDouble(is(tag, "float64", n, s).get(tag).asText());
            case STRING -> is(tag, "string", n, s).get(tag).textValue();
            case BYTES -> ByteBuffer.wrap(bytes(is(tag, "bytes", n, s).get(tag)));
            case FIXED -> {
                byte[] b = bytes(is(tag, "fixed", n, s).get(tag));
                if (b.length != s.getFixedSize()) {
                    throw new Mismatch(n, s);
                }
                yield new GenericData.Fixed(s, b);
            }
            case ENUM -> {
                String symbol = is(tag, "enum", n, s).get(tag).asText();
                if (!s.hasEnumSymbol(symbol)) {
                    throw new Mismatch(n, s);
                }
                yield new GenericData.EnumSymbol(s, symbol);
            }
            case ARRAY -> {
                List<Object> list = new ArrayList<>();
                for (JsonNode item : is(tag, "array", n, s).get(tag)) {
                    list.add(value(item, s.getElementType()));
                }
                yield list;
            }
            case MAP -> {
                Map<String, Object> map = new LinkedHashMap<>();
                for (JsonNode pair : is(tag, "map", n, s).get(tag)) {
                    map.put(pair.get(0).get("string").asText(), value(pair.get(1), s.getValueType()));
                }
                yield map;
            }
            case RECORD -> record(is(tag, "struct", n, s).get(tag), s);
            default -> throw new Mismatch(n, s);
        };
    }

    private static byte[] bytes(JsonNode n) {
        return Base64.getDecoder().decode(n.asText());
    }

    private static JsonNode is(String tag, String want, JsonNode n, Schema s) {
        if (!tag.equals(want)) {
            throw new Mismatch(n, s);
        }
        return n;
    }

    private static Object record(JsonNode n, Schema s) {
        GenericData.Record r = new GenericData.Record(s);
        n.fieldNames().forEachRemaining(name -> {
            if (s.getField(name) == null) {
                throw new Mismatch(n, s);
            }
        });
        for (Schema.Field f : s.getFields()) {
            if (n.has(f.name())) {
                r.put(f.pos(), value(n.get(f.name()), f.schema()));
            } else if (f.hasDefaultValue()) {
                r.put(f.pos(), LOGICAL.getDefaultValue(f));
            } else {
                throw new Mismatch(n, s);
            }
        }
        return r;
    }

    static JsonNode write(Object v) {
        if (v == null) {
            return Notation.JSON.getNodeFactory().nullNode();
        }
        ObjectNode n = Notation.JSON.createObjectNode();
        if (v instanceof CharSequence c) {
            n.put("string", c.toString());
        } else if (v instanceof UUID u) {
            n.put("uuid", u.toString());
        } else if (v instanceof LocalDate d) {
            n.put("local_date", d.toString());
        } else if (v instanceof LocalTime t) {
            n.put("local_time", t.toString());
        } else if (v instanceof LocalDateTime t) {
            n.put("local_datetime", t.toString());
        } else if (v instanceof Instant t) {
            n.put("instant", t.toString());
        } else if (v instanceof GenericEnumSymbol<?> e) {
            n.put("enum", e.toString());
        } else if (v instanceof GenericFixed f) {
            n.put("fixed", Base64.getEncoder().encodeToString(f.bytes()));
        } else if (v instanceof IndexedRecord r) {
            ObjectNode fields = n.putObject("struct");
            for (Schema.Field f : r.getSchema().getFields()) {
                fields.set(f.name(), write(r.get(f.pos())));
            }
        } else if (v instanceof GenericArray<?> || v instanceof List<?>) {
            ArrayNode a = n.putArray("array");
            ((List<?>) v).forEach(item -> a.add(write(item)));
        } else if (v instanceof Map<?, ?> map) {
            Map<String, Object> sorted = new TreeMap<>();
            map.forEach((k, e) -> sorted.put(k.toString(), e));
            ArrayNode a = n.putArray("map");
            sorted.forEach((k, e) -> a.add(Notation.JSON.createArrayNode().add(write(k)).add(write(e))));
        } else {
            return Notation.write(v, null);
        }
        return n;
    }
}
