import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.header.Headers;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/**
 * The real transforms, predicates and converters of Kafka Connect on lines of JSON.
 *
 * Enters: cases, one JSON object a line: {"chain","kind","records"}, {"predicate","kind","records"},
 * {"converter","config","direction","role","topic","records"}. Leaves: for each case one line, an array with an answer for
 * each record. Invariant: a null stays null on the way in and out, unless its schema forbids it and has a default; every
 * Throwable is an answer, none ends the run.
 */
public final class Runner {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final JsonNodeFactory NODES = JsonNodeFactory.withExactBigDecimals(true);
    private static final String PACKAGE = "org.apache.kafka.connect.transforms.";
    private final JsonConverter schemas = new JsonConverter();

    private Runner() {
        MAPPER.enable(com.fasterxml.jackson.databind.DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);
        MAPPER.setNodeFactory(NODES);
        schemas.configure(Map.of("schemas.enable", "true"), false);
    }

    public static void main(String[] args) throws Exception {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        Locale.setDefault(Locale.US);
        Runner runner = new Runner();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintWriter out = new PrintWriter(new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8)));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.println(MAPPER.writeValueAsString(runner.answer(MAPPER.readTree(line))));
        }
        out.flush();
    }

    private ArrayNode answer(JsonNode test) {
        ArrayNode answers = NODES.arrayNode();
        if (test.has("converter")) {
            convert(test, answers);
        } else {
            records(test, answers);
        }
        return answers;
    }

    // --- chains and predicates ---

    private record Step(Transformation<SinkRecord> transform, Predicate<SinkRecord> guard, boolean negate) {}

    private void records(JsonNode test, ArrayNode answers) {
        List<Step> steps = new ArrayList<>();
        Predicate<SinkRecord> predicate = null;
        ObjectNode refused = null;
        try {
            if (test.has("predicate")) {
                Map<String, String> config = texts(test.get("predicate"));
                predicate = predicate(config.get("predicates").trim(), config);
            } else {
                steps = chain(texts(test.get("chain")));
            }
        } catch (Throwable e) {
            refused = error("configure", e);
        }
        boolean sink = !"source".equals(test.path("kind").asText("sink"));
        for (JsonNode record : test.get("records")) {
            if (refused != null) {
                answers.add(refused);
                continue;
            }
            try {
                answers.add(run(steps, predicate, record, sink));
            } catch (Throwable e) {
                answers.add(error("apply", e));
            }
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private ObjectNode run(List<Step> steps, Predicate predicate, JsonNode line, boolean sink) {
        ConnectRecord record = record(line, sink);
        if (predicate != null) {
            return NODES.objectNode().put("result", predicate.test(record));
        }
        for (Step step : steps) {
            if (step.guard != null && ((Predicate) step.guard).test(record) == step.negate) {
                continue;
            }
            record = (ConnectRecord) ((Transformation) step.transform).apply(record);
            if (record == null) {
                return NODES.objectNode().put("dropped", true);
            }
        }
        return write(record);
    }

    private List<Step> chain(Map<String, String> config) throws Exception {
        List<Step> steps = new ArrayList<>();
        List<String> aliases = list(config.get("transforms"));
        if (new LinkedHashSet<>(aliases).size() != aliases.size()) {
            throw new ConfigException("transforms", aliases, "Duplicate alias provided.");
        }
        for (String alias : aliases) {
            String prefix = "transforms." + alias + ".";
            Map<String, String> own = below(config, prefix);
            String type = own.remove("type");
            String guard = own.remove("predicate");
            String negate = own.remove("negate");
            own.remove("plugin.version");
            if (type == null) {
                throw new ConfigException("Missing required configuration \"" + prefix + "type\" which has no default value.");
            }
            if (negate != null && guard == null) {
                throw new ConfigException("Config '" + prefix + "negate' was provided but there is no config '" + prefix
                        + "predicate' defining a predicate to be negated.");
            }
            Transformation<SinkRecord> transform = make(type.trim(), PACKAGE, Transformation.class, prefix + "type");
            transform.configure(own);
            boolean negated = negate != null && (Boolean) ConfigDef.parseType(prefix + "negate", negate, ConfigDef.Type.BOOLEAN);
            steps.add(new Step(transform, guard == null ? null : predicate(guard.trim(), config), negated));
        }
        return steps;
    }

    private Predicate<SinkRecord> predicate(String alias, Map<String, String> config) throws Exception {
        if (!list(config.get("predicates")).contains(alias)) {
            throw new ConfigException("predicate " + alias + " is not in predicates");
        }
        String prefix = "predicates." + alias + ".";
        Map<String, String> own = below(config, prefix);
        String type = own.remove("type");
        own.remove("plugin.version");
        if (type == null) {
            throw new ConfigException("Missing required configuration \"" + prefix + "type\" which has no default value.");
        }
        Predicate<SinkRecord> predicate = make(type.trim(), PACKAGE + "predicates.", Predicate.class, prefix + "type");
        predicate.configure(own);
        return predicate;
    }

    @SuppressWarnings("unchecked")
    private static <T> T make(String type, String where, Class<?> wanted, String key) {
        Class<?> found = null;
        for (String name : new String[] {type, where + type}) {
            try {
                found = Class.forName(name);
                break;
            } catch (ClassNotFoundException | LinkageError e) {
                // the next one
            }
        }
        if (found == null) {
            throw new ConfigException(key, type, "Class " + type + " could not be found.");
        }
        if (!wanted.isAssignableFrom(found) || java.lang.reflect.Modifier.isAbstract(found.getModifiers())) {
            throw new ConfigException(key, type, "not a " + wanted.getSimpleName());
        }
        try {
            return (T) found.getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw new ConfigException(key, type, e.toString());
        }
    }

    private ConnectRecord<?> record(JsonNode line, boolean sink) {
        Headers headers = new ConnectHeaders();
        for (JsonNode header : line.path("headers")) {
            Schema schema = schema(header.get("schema"));
            headers.add(header.get("key").asText(), value(schema, header.get("value")), schema);
        }
        Schema keySchema = schema(line.get("keySchema"));
        Schema valueSchema = schema(line.get("valueSchema"));
        Object key = value(keySchema, line.get("key"));
        Object value = value(valueSchema, line.get("value"));
        String topic = line.path("topic").isTextual() ? line.get("topic").asText() : null;
        Long timestamp = line.path("timestamp").isNumber() ? line.get("timestamp").asLong() : null;
        Integer partition = line.path("partition").isNumber() ? line.get("partition").asInt() : null;
        if (sink) {
            TimestampType type = timestamp == null ? TimestampType.NO_TIMESTAMP_TYPE : TimestampType.CREATE_TIME;
            int at = partition == null ? 0 : partition;
            return new SinkRecord(topic, at, keySchema, key, valueSchema, value, line.path("offset").asLong(0), timestamp, type, headers);
        }
        return new SourceRecord(Map.of(), Map.of(), topic, partition, keySchema, key, valueSchema, value, timestamp, headers);
    }

    private ObjectNode write(ConnectRecord<?> record) {
        ObjectNode out = NODES.objectNode();
        out.put("topic", record.topic());
        out.put("partition", record.kafkaPartition());
        out.put("offset", record instanceof SinkRecord sink ? (Long) sink.kafkaOffset() : null);
        out.put("timestamp", record.timestamp());
        out.set("keySchema", schemaOut(record.keySchema()));
        out.set("key", json(record.keySchema(), record.key()));
        out.set("valueSchema", schemaOut(record.valueSchema()));
        out.set("value", json(record.valueSchema(), record.value()));
        ArrayNode headers = out.putArray("headers");
        for (Header header : record.headers()) {
            ObjectNode one = headers.addObject();
            one.put("key", header.key());
            one.set("schema", schemaOut(header.schema()));
            one.set("value", json(header.schema(), header.value()));
        }
        return out;
    }

    // --- converters ---

    private void convert(JsonNode test, ArrayNode answers) {
        boolean header = "header".equals(test.path("role").asText());
        Converter converter = null;
        HeaderConverter headers = null;
        ObjectNode refused = null;
        try {
            Object made = Class.forName(test.get("converter").asText()).getDeclaredConstructor().newInstance();
            Map<String, Object> config = new HashMap<>(texts(test.path("config")));
            if (header) {
                headers = (HeaderConverter) made;
                config.put("converter.type", "header");
                headers.configure(config);
            } else {
                converter = (Converter) made;
                converter.configure(config, "key".equals(test.path("role").asText()));
            }
        } catch (Throwable e) {
            refused = error("configure", e);
        }
        String topic = test.path("topic").asText("topic");
        for (JsonNode datum : test.get("records")) {
            if (refused != null) {
                answers.add(refused);
                continue;
            }
            try {
                ObjectNode answer = NODES.objectNode();
                if ("to-connect".equals(test.get("direction").asText())) {
                    byte[] bytes = datum.path("hex").isTextual() ? unhex(datum.get("hex").asText()) : null;
                    SchemaAndValue found = header
                            ? headers.toConnectHeader(topic, "header", bytes)
                            : converter.toConnectData(topic, bytes);
                    answer.set("schema", schemaOut(found.schema()));
                    answer.set("value", json(found.schema(), found.value()));
                } else {
                    Schema schema = schema(datum.get("schema"));
                    Object value = value(schema, datum.get("value"));
                    byte[] bytes = header
                            ? headers.fromConnectHeader(topic, "header", schema, value)
                            : converter.fromConnectData(topic, schema, value);
                    answer.put("hex", bytes == null ? null : hex(bytes));
                }
                answers.add(answer);
            } catch (Throwable e) {
                answers.add(error("apply", e));
            }
        }
    }

    // --- the notation ---

    private Schema schema(JsonNode json) {
        return json == null || json.isNull() ? null : schemas.asConnectSchema(json);
    }

    private JsonNode schemaOut(Schema schema) {
        return schema == null ? NODES.nullNode() : schemas.asJsonSchema(schema);
    }

    private static Object value(Schema schema, JsonNode json) {
        boolean absent = json == null || json.isNull() || json.isMissingNode();
        if (schema == null) {
            return absent ? null : plain(json);
        }
        if (absent) {
            if (!schema.isOptional() && schema.defaultValue() != null) {
                return schema.defaultValue();
            }
            if (!schema.isOptional()) {
                throw new DataException("Invalid null value for required " + schema.type() + " field");
            }
            return null;
        }
        if (schema.name() != null) {
            switch (schema.name()) {
                case Decimal.LOGICAL_NAME:
                    return Decimal.toLogical(schema, Base64.getDecoder().decode(json.asText()));
                case Date.LOGICAL_NAME:
                    return Date.toLogical(schema, json.intValue());
                case Time.LOGICAL_NAME:
                    return Time.toLogical(schema, json.intValue());
                case Timestamp.LOGICAL_NAME:
                    return Timestamp.toLogical(schema, json.longValue());
                default:
            }
        }
        switch (schema.type()) {
            case BOOLEAN: return json.booleanValue();
            case INT8: return (byte) json.intValue();
            case INT16: return (short) json.intValue();
            case INT32: return json.intValue();
            case INT64: return json.longValue();
            case FLOAT32: return json.isTextual() ? Float.valueOf(json.asText()) : Float.valueOf(json.decimalValue().toString());
            case FLOAT64: return json.isTextual() ? Double.valueOf(json.asText()) : Double.valueOf(json.decimalValue().toString());
            case STRING: return json.asText();
            case BYTES: return Base64.getDecoder().decode(json.asText());
            case ARRAY: {
                List<Object> items = new ArrayList<>();
                json.forEach(item -> items.add(value(schema.valueSchema(), item)));
                return items;
            }
            case MAP: {
                Map<Object, Object> map = new LinkedHashMap<>();
                if (json.isObject()) {
                    json.fields().forEachRemaining(e -> map.put(e.getKey(), value(schema.valueSchema(), e.getValue())));
                } else {
                    json.forEach(pair -> map.put(value(schema.keySchema(), pair.get(0)), value(schema.valueSchema(), pair.get(1))));
                }
                return map;
            }
            case STRUCT: {
                Struct struct = new Struct(schema);
                for (Field field : schema.fields()) {
                    struct.put(field, value(field.schema(), json.get(field.name())));
                }
                return struct;
            }
            default: throw new DataException("no such type: " + schema.type());
        }
    }

    private static Object plain(JsonNode json) {
        switch (json.getNodeType()) {
            case NULL: return null;
            case BOOLEAN: return json.booleanValue();
            case NUMBER: return json.isIntegralNumber() ? (Object) json.longValue() : (Object) json.doubleValue();
            case STRING: return json.asText();
            case ARRAY: {
                List<Object> items = new ArrayList<>();
                json.forEach(item -> items.add(plain(item)));
                return items;
            }
            default: {
                Map<String, Object> map = new LinkedHashMap<>();
                json.fields().forEachRemaining(e -> map.put(e.getKey(), plain(e.getValue())));
                return map;
            }
        }
    }

    private static JsonNode json(Schema schema, Object value) {
        if (value == null) {
            if (schema == null || schema.isOptional()) {
                return NODES.nullNode();
            }
            if (schema.defaultValue() != null) {
                return json(schema, schema.defaultValue());
            }
            throw new DataException("Conversion error: null value for field that is required and has no default value");
        }
        if (schema != null && schema.name() != null) {
            switch (schema.name()) {
                case Decimal.LOGICAL_NAME:
                    return NODES.textNode(base64(Decimal.fromLogical(schema, (BigDecimal) value)));
                case Date.LOGICAL_NAME:
                    return NODES.numberNode(Date.fromLogical(schema, (java.util.Date) value));
                case Time.LOGICAL_NAME:
                    return NODES.numberNode(Time.fromLogical(schema, (java.util.Date) value));
                case Timestamp.LOGICAL_NAME:
                    return NODES.numberNode(Timestamp.fromLogical(schema, (java.util.Date) value));
                default:
            }
        }
        if (value instanceof Boolean flag) return NODES.booleanNode(flag);
        if (value instanceof Float number) return number.isNaN() || number.isInfinite() ? NODES.textNode(number.toString()) : NODES.numberNode(new BigDecimal(number.toString()));
        if (value instanceof Double number) return number.isNaN() || number.isInfinite() ? NODES.textNode(number.toString()) : NODES.numberNode(new BigDecimal(number.toString()));
        if (value instanceof BigDecimal number && schema == null) return NODES.numberNode(number);
        if (value instanceof Number number && !(value instanceof BigDecimal || value instanceof BigInteger)) return NODES.numberNode(number.longValue());
        if (value instanceof String text) return NODES.textNode(text);
        if (value instanceof byte[] bytes) return NODES.textNode(base64(bytes));
        if (value instanceof ByteBuffer buffer) {
            byte[] bytes = new byte[buffer.remaining()];
            buffer.duplicate().get(bytes);
            return NODES.textNode(base64(bytes));
        }
        if (value instanceof List<?> items) {
            ArrayNode out = NODES.arrayNode();
            items.forEach(item -> out.add(json(schema == null ? null : schema.valueSchema(), item)));
            return out;
        }
        if (value instanceof Map<?, ?> map) {
            boolean object = schema == null || schema.keySchema() == null
                    ? map.keySet().stream().allMatch(key -> key instanceof String)
                    : schema.keySchema().type() == Schema.Type.STRING;
            Schema of = schema == null ? null : schema.valueSchema();
            if (object) {
                ObjectNode out = NODES.objectNode();
                map.forEach((key, item) -> out.set((String) key, json(of, item)));
                return out;
            }
            ArrayNode out = NODES.arrayNode();
            Schema keys = schema == null ? null : schema.keySchema();
            map.forEach((key, item) -> out.addArray().add(json(keys, key)).add(json(of, item)));
            return out;
        }
        if (value instanceof Struct struct) {
            if (schema != null && !struct.schema().equals(schema)) {
                throw new DataException("Mismatching schema.");
            }
            ObjectNode out = NODES.objectNode();
            for (Field field : struct.schema().fields()) {
                out.set(field.name(), json(field.schema(), struct.getWithoutDefault(field.name())));
            }
            return out;
        }
        throw new DataException("Couldn't convert " + value.getClass().getName() + " to JSON.");
    }

    // --- small things ---

    private static ObjectNode error(String stage, Throwable e) {
        ObjectNode out = NODES.objectNode();
        ObjectNode error = out.putObject("error");
        return out.<ObjectNode>set("error", error.put("stage", stage).put("class", e.getClass().getSimpleName()).put("message", e.getMessage()));
    }

    private static Map<String, String> texts(JsonNode config) {
        Map<String, String> out = new LinkedHashMap<>();
        config.fields().forEachRemaining(e -> out.put(e.getKey(), e.getValue().isNull() ? null : e.getValue().asText()));
        return out;
    }

    private static Map<String, String> below(Map<String, String> config, String prefix) {
        Map<String, String> out = new LinkedHashMap<>();
        config.forEach((key, value) -> {
            if (key.startsWith(prefix)) {
                out.put(key.substring(prefix.length()), value);
            }
        });
        return out;
    }

    private static List<String> list(String text) {
        List<String> out = new ArrayList<>();
        if (text != null && !text.isBlank()) {
            for (String item : text.split(",")) {
                out.add(item.trim());
            }
        }
        return out;
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    private static byte[] unhex(String text) {
        return java.util.HexFormat.of().parseHex(text);
    }

    private static String hex(byte[] bytes) {
        return java.util.HexFormat.of().formatHex(bytes);
    }
}
