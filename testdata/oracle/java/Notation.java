import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;

/** The notation of README.md for Connect's schemas and values, read and written without loss. */
final class Notation {
    static final ObjectMapper JSON = new ObjectMapper()
            .configure(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY, true)
            .configure(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS, true);
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private static final Pattern HALF_PAIR = Pattern.compile("\\p{Cs}");

    private static final Pattern HASH = Pattern.compile("(?<=\\w)@[0-9a-f]{5,8}\\b");

    private Notation() {}

    /** A mistake in a case: it must fail the run, never become a result. */
    static final class BadCase extends RuntimeException {
        BadCase(String message, Throwable cause) {
            super(message, cause);
        }

        BadCase(String message) {
            super(message);
        }
    }

    static Schema schema(JsonNode n) {
        return n == null || n.isNull() ? null : builder(n).build();
    }

    private static SchemaBuilder builder(JsonNode n) {
        Schema.Type type = Schema.Type.valueOf(n.path("type").asText().toUpperCase(java.util.Locale.ROOT));
        SchemaBuilder b = switch (type) {
            case ARRAY -> SchemaBuilder.array(schema(n.get("values")));
            case MAP -> SchemaBuilder.map(schema(n.get("keys")), schema(n.get("values")));
            default -> SchemaBuilder.type(type);
        };
        if (n.path("optional").asBoolean()) {
            b.optional();
        }
        if (n.has("name")) {
            b.name(n.get("name").asText());
        }
        if (n.has("version")) {
            b.version(n.get("version").asInt());
        }
        if (n.has("doc")) {
            b.doc(n.get("doc").asText());
        }
        // In the order of the notation, which is sorted: parameters have no order of their own.
        n.path("parameters").fields().forEachRemaining(e -> b.parameter(e.getKey(), e.getValue().asText()));
        for (JsonNode f : n.path("fields")) {
            b.field(f.get("name").asText(), schema(f.get("schema")));
        }
        if (n.has("default")) {
            // A struct is accepted as a default only if its schema is the builder itself, as JsonConverter has it.
            b.defaultValue(value(n.get("default"), b));
        }
        return b;
    }

    /** Reads a value; the schema is needed for structs only. */
    static Object value(JsonNode n, Schema schema) {
        if (n == null || n.isNull()) {
            return null;
        }
        String tag = tag(n);
        JsonNode v = n.get(tag);
        return switch (tag) {
            case "boolean" -> v.booleanValue();
            case "int8" -> Byte.parseByte(v.asText());
            case "int16" -> Short.parseShort(v.asText());
            case "int32" -> Integer.parseInt(v.asText());
            case "int64" -> Long.parseLong(v.asText());
            case "float32" -> Float.parseFloat(v.asText());
            case "float64" -> Double.parseDouble(v.asText());
            case "string" -> v.textValue();
            case "bytes" -> Base64.getDecoder().decode(v.textValue());
            case "decimal" -> decimal(v);
            case "date" -> new Date(Long.parseLong(v.asText()));
            case "array" -> {
                List<Object> list = new ArrayList<>();
                for (JsonNode item : v) {
                    list.add(value(item, is(schema, Schema.Type.ARRAY) ? schema.valueSchema() : null));
                }
                yield list;
            }
            case "map" -> {
                boolean typed = is(schema, Schema.Type.MAP);
                Map<Object, Object> map = new LinkedHashMap<>();
                for (JsonNode pair : v) {
                    Object key = value(pair.get(0), typed ? schema.keySchema() : null);
                    map.put(key, value(pair.get(1), typed ? schema.valueSchema() : null));
                }
                yield map;
            }
            case "struct" -> {
                Schema own = n.has("schema") ? schema(n.get("schema")) : schema;
                if (!is(own, Schema.Type.STRUCT)) {
                    throw new BadCase("a struct needs its schema: " + n);
                }
                Struct s = new Struct(own);
                v.fields().forEachRemaining(e -> {
                    Field f = own.field(e.getKey());
                    if (f == null) {
                        throw new BadCase("no field " + e.getKey() + " in the schema of " + n);
                    }
                    s.put(f, value(e.getValue(), f.schema()));
                });
                yield s;
            }
            default -> throw new BadCase("no value has the tag " + tag);
        };
    }

    static BigDecimal decimal(JsonNode v) {
        return new BigDecimal(new BigInteger(v.get("unscaled").asText()), v.get("scale").asInt());
    }

    static String tag(JsonNode n) {
        for (var names = n.fieldNames(); names.hasNext();) {
            String name = names.next();
            if (!name.equals("schema")) {
                return name;
            }
        }
        throw new BadCase("not a value: " + n);
    }

    private static boolean is(Schema s, Schema.Type type) {
        return s != null && s.type() == type;
    }

    static JsonNode write(Schema s) {
        if (s == null) {
            return NODES.nullNode();
        }
        ObjectNode n = NODES.objectNode();
        n.put("type", s.type().name().toLowerCase(java.util.Locale.ROOT));
        if (s.isOptional()) {
            n.put("optional", true);
        }
        if (s.name() != null) {
            n.put("name", s.name());
        }
        if (s.version() != null) {
            n.put("version", s.version());
        }
        if (s.doc() != null) {
            n.put("doc", s.doc());
        }
        if (s.parameters() != null && !s.parameters().isEmpty()) {
            ObjectNode p = n.putObject("parameters");
            s.parameters().forEach(p::put);
        }
        if (s.defaultValue() != null) {
            // The schema of a struct that is a default is the unfinished one: it equals none, and holds this default.
            n.set("default", write(s.defaultValue(), s.defaultValue() instanceof Struct d ? d.schema() : s));
        }
        switch (s.type()) {
            case STRUCT -> {
                ArrayNode fields = n.putArray("fields");
                for (Field f : s.fields()) {
                    fields.addObject().put("name", f.name()).set("schema", write(f.schema()));
                }
            }
            case MAP -> {
                n.set("keys", write(s.keySchema()));
                n.set("values", write(s.valueSchema()));
            }
            case ARRAY -> n.set("values", write(s.valueSchema()));
            default -> { }
        }
        return n;
    }

    /** Writes a value; a struct whose schema is not the one expected at its place carries its own. */
    static JsonNode write(Object v, Schema schema) {
        if (v == null) {
            return NODES.nullNode();
        }
        ObjectNode n = NODES.objectNode();
        if (v instanceof Boolean b) {
            n.put("boolean", b);
        } else if (v instanceof Byte i) {
            n.put("int8", i.toString());
        } else if (v instanceof Short i) {
            n.put("int16", i.toString());
        } else if (v instanceof Integer i) {
            n.put("int32", i.toString());
        } else if (v instanceof Long i) {
            n.put("int64", i.toString());
        } else if (v instanceof Float f) {
            n.put("float32", text(f));
        } else if (v instanceof Double d) {
            n.put("float64", text(d));
        } else if (v instanceof String s) {
            n.put("string", stable(s));
        } else if (v instanceof byte[] b) {
            n.put("bytes", Base64.getEncoder().encodeToString(b));
        } else if (v instanceof ByteBuffer b) {
            byte[] copy = new byte[b.remaining()];
            b.duplicate().get(copy);
            n.put("bytes", Base64.getEncoder().encodeToString(copy));
        } else if (v instanceof BigDecimal d) {
            n.putObject("decimal").put("scale", d.scale()).put("unscaled", d.unscaledValue().toString());
        } else if (v instanceof BigInteger i) {
            n.put("bigint", i.toString());
        } else if (v instanceof Date d) {
            n.put("date", Long.toString(d.getTime()));
        } else if (v instanceof List<?> list) {
            ArrayNode a = n.putArray("array");
            for (Object item : list) {
                a.add(write(item, is(schema, Schema.Type.ARRAY) ? schema.valueSchema() : null));
            }
        } else if (v instanceof Map<?, ?> map) {
            // Maps have no order: sorted by the text of their keys, the file does not change with the JVM's hashes.
            boolean typed = is(schema, Schema.Type.MAP);
            Map<String, ArrayNode> pairs = new TreeMap<>();
            map.forEach((k, e) -> {
                ArrayNode pair = NODES.arrayNode();
                JsonNode key = write(k, typed ? schema.keySchema() : null);
                pair.add(key);
                pair.add(write(e, typed ? schema.valueSchema() : null));
                pairs.put(key.toString(), pair);
            });
            ArrayNode a = n.putArray("map");
            pairs.values().forEach(a::add);
        } else if (v instanceof Struct s) {
            ObjectNode fields = n.putObject("struct");
            for (Field f : s.schema().fields()) {
                fields.set(f.name(), write(s.getWithoutDefault(f.name()), f.schema()));
            }
            if (!Objects.equals(s.schema(), schema)) {
                n.set("schema", write(s.schema()));
            }
        } else {
            throw new BadCase("no notation for " + v.getClass());
        }
        return n;
    }

    /** The shortest decimal digits that read back as the same number; Java's own text depends on its version. */
    static String text(double d) {
        if (Double.isNaN(d) || Double.isInfinite(d)) {
            return Double.toString(d);
        }
        for (int digits = 1; digits < 17; digits++) {
            BigDecimal b = new BigDecimal(d).round(new MathContext(digits));
            if (b.doubleValue() == d) {
                return sign(d < 0 || 1 / d < 0, b);
            }
        }
        return sign(d < 0, new BigDecimal(d).round(new MathContext(17)));
    }

    static String text(float f) {
        if (Float.isNaN(f) || Float.isInfinite(f)) {
            return Float.toString(f);
        }
        for (int digits = 1; digits < 9; digits++) {
            BigDecimal b = new BigDecimal(f).round(new MathContext(digits));
            if (b.floatValue() == f) {
                return sign(f < 0 || 1 / f < 0, b);
            }
        }
        return sign(f < 0, new BigDecimal(f).round(new MathContext(9)));
    }

    private static String sign(boolean negative, BigDecimal b) {
        if (b.signum() == 0) {
            return negative ? "-0" : "0";
        }
        return b.stripTrailingZeros().toString();
    }

    /** Bytes as text where they are UTF-8, which is what a person can compare, else as Base64. */
    static byte[] bytes(JsonNode n) {
        if (n == null || n.isNull()) {
            return null;
        }
        if (n.has("text")) {
            return n.get("text").textValue().getBytes(StandardCharsets.UTF_8);
        }
        return Base64.getDecoder().decode(n.get("base64").textValue());
    }

    static JsonNode writeBytes(byte[] b) {
        if (b == null) {
            return NODES.nullNode();
        }
        ObjectNode n = NODES.objectNode();
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(b)).toString();
            if (text.chars().allMatch(c -> c >= ' ' && c != 0x7f)) {
                return n.put("text", stable(text));
            }
        } catch (CharacterCodingException e) {
            // Not text.
        }
        return n.put("base64", Base64.getEncoder().encodeToString(b));
    }

    /** What Java's identity hashes and Avro's counter of unknown names add to a text says nothing and changes. */
    static String stable(String text) {
        return HASH.matcher(text).replaceAll("@hash").replaceAll("UnresolvedSchema_\\d+", "UnresolvedSchema");
    }

    /** One line with the keys of every object sorted. */
    static String line(JsonNode n) {
        try {
            String line = JSON.writeValueAsString(JSON.treeToValue(n, Object.class));
            // Half a surrogate pair is text to Java and nothing to UTF-8: it stays an escape.
            return HALF_PAIR.matcher(line).replaceAll(m -> String.format("\\\\u%04x", (int) m.group().charAt(0)));
        } catch (JsonProcessingException e) {
            throw new BadCase("writing " + n, e);
        }
    }
}
