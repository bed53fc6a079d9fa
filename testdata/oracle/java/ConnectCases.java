import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaProjector;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/** Runs Kafka Connect's transforms, predicates and converters. */
@SuppressWarnings({"unchecked", "rawtypes"}) // the classes are named by cases
final class ConnectCases {
    private ConnectCases() {}

    static void answer(JsonNode c, ObjectNode result) throws Exception {
        switch (c.get("op").asText()) {
            case "transform" -> transform(c, result);
            case "predicate" -> predicate(c, result);
            case "to_connect", "from_connect" -> converter(c, result);
            case "to_connect_header", "from_connect_header" -> headerConverter(c, result);
            case "project" -> {
                Schema source = Notation.schema(c.get("data").get("schema"));
                Schema target = Notation.schema(c.get("target"));
                Object value = Notation.value(c.get("data").get("value"), source);
                apply(result, () -> result.set("data", write(target, SchemaProjector.project(source, value, target))));
            }
            default -> throw new Notation.BadCase("no operation " + c.get("op"));
        }
    }

    private record Step(Transformation transform, Predicate predicate, boolean negate) {
        /** As Connect's worker decides it. */
        boolean applies(ConnectRecord<?> r) {
            return predicate == null || predicate.test(r) != negate;
        }
    }

    private static void transform(JsonNode c, ObjectNode result) throws Exception {
        ConnectRecord<?> r = record(c.get("record"));
        List<Step> chain = new ArrayList<>();
        for (JsonNode s : c.get("chain")) {
            Transformation t = make(s, Transformation.class);
            JsonNode p = s.get("predicate");
            Predicate when = p == null ? null : make(p, Predicate.class);
            try {
                t.configure(config(s));
                if (when != null) {
                    when.configure(config(p));
                }
            } catch (RuntimeException e) {
                Oracle.failure(result, "configure", e);
                return;
            }
            chain.add(new Step(t, when, p != null && p.path("negate").asBoolean()));
        }
        try {
            for (Step s : chain) {
                if (r != null && s.applies(r)) {
                    r = s.transform().apply(r);
                }
            }
        } catch (RuntimeException e) {
            Oracle.failure(result, "apply", e);
            return;
        }
        result.set("record", r == null ? null : write(r));
    }

    private static void predicate(JsonNode c, ObjectNode result) throws Exception {
        JsonNode p = c.get("predicate");
        Predicate when = make(p, Predicate.class);
        try {
            when.configure(config(p));
        } catch (RuntimeException e) {
            Oracle.failure(result, "configure", e);
            return;
        }
        result.put("test", when.test(record(c.get("record"))) != p.path("negate").asBoolean());
    }

    private static void converter(JsonNode c, ObjectNode result) throws Exception {
        JsonNode spec = c.get("converter");
        Converter conv = make(spec, Converter.class);
        try {
            conv.configure(config(spec), spec.path("key").asBoolean());
        } catch (RuntimeException e) {
            Oracle.failure(result, "configure", e);
            return;
        }
        String topic = c.path("topic").asText("topic");
        if (c.get("op").asText().equals("to_connect")) {
            byte[] in = Notation.bytes(c.get("bytes"));
            apply(result, () -> result.set("data", write(conv.toConnectData(topic, in))));
            return;
        }
        Schema schema = Notation.schema(c.get("data").get("schema"));
        Object value = Notation.value(c.get("data").get("value"), schema);
        apply(result, () -> result.set("bytes", Notation.writeBytes(conv.fromConnectData(topic, schema, value))));
    }

    private static void headerConverter(JsonNode c, ObjectNode result) throws Exception {
        JsonNode spec = c.get("converter");
        HeaderConverter conv = make(spec, HeaderConverter.class);
        Map<String, String> config = new HashMap<>(config(spec));
        config.put("converter.type", "header");
        try {
            conv.configure(config);
        } catch (RuntimeException e) {
            Oracle.failure(result, "configure", e);
            return;
        }
        String topic = c.path("topic").asText("topic");
        String header = c.path("header").asText("header");
        if (c.get("op").asText().equals("to_connect_header")) {
            byte[] in = Notation.bytes(c.get("bytes"));
            apply(result, () -> result.set("data", write(conv.toConnectHeader(topic, header, in))));
            return;
        }
        Schema schema = Notation.schema(c.get("data").get("schema"));
        Object value = Notation.value(c.get("data").get("value"), schema);
        apply(result, () -> result.set("bytes", Notation.writeBytes(conv.fromConnectHeader(topic, header, schema, value))));
    }

    private static void apply(ObjectNode result, Runnable step) {
        try {
            step.run();
        } catch (Notation.BadCase e) {
            throw e;
        } catch (RuntimeException e) {
            Oracle.failure(result, "apply", e);
        }
    }

    private static <T> T make(JsonNode spec, Class<T> type) throws Exception {
        return type.cast(Class.forName(spec.get("class").asText()).getDeclaredConstructor().newInstance());
    }

    private static Map<String, String> config(JsonNode spec) {
        Map<String, String> config = new HashMap<>();
        spec.path("config").fields().forEachRemaining(e -> config.put(e.getKey(), e.getValue().textValue()));
        return config;
    }

    private static ConnectRecord<?> record(JsonNode n) {
        String topic = n.hasNonNull("topic") ? n.get("topic").asText() : null;
        Integer partition = n.hasNonNull("partition") ? n.get("partition").asInt() : null;
        Long timestamp = n.hasNonNull("timestamp") ? Long.valueOf(n.get("timestamp").asText()) : null;
        Schema keySchema = Notation.schema(n.path("key").get("schema"));
        Object key = Notation.value(n.path("key").get("value"), keySchema);
        Schema schema = Notation.schema(n.path("value").get("schema"));
        Object value = Notation.value(n.path("value").get("value"), schema);
        ConnectHeaders headers = new ConnectHeaders();
        for (JsonNode h : n.path("headers")) {
            Schema s = Notation.schema(h.get("schema"));
            headers.add(h.get("name").asText(), Notation.value(h.get("value"), s), s);
        }
        if (n.get("kind").asText().equals("source")) {
            return new SourceRecord(Map.of(), Map.of(), topic, partition, keySchema, key, schema, value, timestamp, headers);
        }
        return new SinkRecord(topic, partition, keySchema, key, schema, value, n.get("offset").asLong(), timestamp,
                TimestampType.CREATE_TIME, headers);
    }

    private static JsonNode write(ConnectRecord<?> r) {
        ObjectNode n = Notation.JSON.createObjectNode();
        n.put("kind", r instanceof SourceRecord ? "source" : "sink");
        if (r instanceof SinkRecord s) {
            n.put("offset", s.kafkaOffset());
        }
        n.put("topic", r.topic());
        n.put("partition", r.kafkaPartition());
        n.put("timestamp", r.timestamp() == null ? null : r.timestamp().toString());
        n.set("key", write(r.keySchema(), r.key()));
        n.set("value", write(r.valueSchema(), r.value()));
        ArrayNode headers = n.putArray("headers");
        for (Header h : r.headers()) {
            ObjectNode o = write(h.schema(), h.value());
            o.put("name", h.key());
            headers.add(o);
        }
        return n;
    }

    private static ObjectNode write(SchemaAndValue v) {
        return write(v.schema(), v.value());
    }

    private static ObjectNode write(Schema schema, Object value) {
        ObjectNode n = Notation.JSON.createObjectNode();
        n.set("schema", Notation.write(schema));
        n.set("value", Notation.write(value, schema));
        return n;
    }
}
