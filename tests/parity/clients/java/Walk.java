import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.sourcelab.kafka.connect.apiclient.Configuration;
import org.sourcelab.kafka.connect.apiclient.KafkaConnectClient;
import org.sourcelab.kafka.connect.apiclient.request.dto.ConnectorPluginConfigDefinition;
import org.sourcelab.kafka.connect.apiclient.request.dto.NewConnectorDefinition;
import org.sourcelab.kafka.connect.apiclient.request.post.PostConnectorRestart;
import org.sourcelab.kafka.connect.apiclient.rest.exceptions.ConcurrentConfigModificationException;
import org.sourcelab.kafka.connect.apiclient.rest.exceptions.InvalidRequestException;
import org.sourcelab.kafka.connect.apiclient.rest.exceptions.ResourceNotFoundException;

/** A connector's whole life by org.sourcelab:kafka-connect-client: Walk URL TOPIC DIR. Ends with 0 if all went as with Kafka Connect. */
public class Walk {
    private static final String NAME = "by java";

    private final KafkaConnectClient client;

    private Walk(String url) {
        client = new KafkaConnectClient(new Configuration(url));
    }

    public static void main(String[] args) throws Exception {
        new Walk(args[0]).walk(args[1], args[2]);
        System.out.println("good");
        System.exit(0);
    }

    private void walk(String topic, String dir) throws Exception {
        Map<String, String> config = new HashMap<>(Map.of(
                "connector.class", "FileStreamSink", "topics", topic, "file", dir + "/by-java.txt", "tasks.max", "1"));
        expect("version", client.getConnectServerVersion().getVersion().isEmpty(), false);
        expect("cluster id", client.getConnectServerVersion().getKafkaClusterId().isEmpty(), false);
        expect("a plugin", client.getConnectorPlugins().stream().anyMatch(p -> p.getClassName().endsWith("FileStreamSinkConnector")), true);
        var checked = client.validateConnectorPluginConfig(ConnectorPluginConfigDefinition.newBuilder()
                .withName("FileStreamSink").withConfig(config).withConfig("name", NAME).withConfig("tasks.max", "0").build());
        expect("errors found", checked.getErrorCount(), 1);
        expect("groups", checked.getGroups().contains("Error Handling"), true);

        var created = client.addConnector(NewConnectorDefinition.newBuilder().withName(NAME).withConfig(config).build());
        expect("name of create", created.getName(), NAME);
        refused(ConcurrentConfigModificationException.class, () ->
                client.addConnector(NewConnectorDefinition.newBuilder().withName(NAME).withConfig(config).build()));
        refused(InvalidRequestException.class, () ->
                client.addConnector(NewConnectorDefinition.newBuilder().withName("bad").withConfig("tasks.max", "0").build()));
        expect("list", List.copyOf(client.getConnectors()), List.of(NAME));
        state("RUNNING");
        expect("type", client.getConnector(NAME).getType(), "sink");
        expect("tasks of get", client.getConnector(NAME).getTasks().size(), 1);
        expect("config", client.getConnectorConfig(NAME).get("topics"), topic);
        expect("tasks", client.getConnectorTasks(NAME).size(), 1);
        expect("state of the task", client.getConnectorTaskStatus(NAME, 0).getState(), "RUNNING");
        var expanded = client.getConnectorsWithAllExpandedMetadata();
        expect("expanded info", expanded.getDefinitionForConnector(NAME).getName(), NAME);
        expect("expanded status", expanded.getStatusForConnector(NAME).getConnector().get("state"), "RUNNING");

        config.put("note", "changed");
        expect("update", client.updateConnectorConfig(NAME, config).getConfig().get("note"), "changed");
        expect("pause", client.pauseConnector(NAME), true);
        state("PAUSED");
        expect("resume", client.resumeConnector(NAME), true);
        state("RUNNING");
        expect("restart", client.restartConnector(NAME), true);
        expect("restart with tasks", client.restartConnector(new PostConnectorRestart(NAME).withIncludeTasks(true)), true);
        state("RUNNING");
        expect("restart of the task", client.restartConnectorTask(NAME, 0), true);
        state("RUNNING");
        expect("topics reset", client.resetConnectorTopics(NAME), true);
        expect("topics", client.getConnectorTopics(NAME).getName(), NAME);
        expect("delete", client.deleteConnector(NAME), true);
        refused(ResourceNotFoundException.class, () -> client.getConnector(NAME));
    }

    /** Waits until the connector and its only task are in a state. */
    private void state(String wanted) throws InterruptedException {
        Object last = null;
        for (long end = System.nanoTime() + 60_000_000_000L; System.nanoTime() < end; Thread.sleep(50)) {
            var status = client.getConnectorStatus(NAME);
            var tasks = status.getTasks();
            if (status.getConnector().get("state").equals(wanted) && tasks.size() == 1 && tasks.get(0).getState().equals(wanted)) {
                return;
            }
            last = status;
        }
        throw new AssertionError("never " + wanted + ": " + last);
    }

    private static void refused(Class<? extends Exception> kind, Runnable call) {
        try {
            call.run();
        } catch (Exception refusal) {
            if (kind.isInstance(refusal)) {
                return;
            }
            throw new AssertionError("not a " + kind, refusal);
        }
        throw new AssertionError("taken, not refused with " + kind);
    }

    private static void expect(String what, Object seen, Object wanted) {
        if (!wanted.equals(seen)) {
            throw new AssertionError(what + ": " + seen + " instead of " + wanted);
        }
    }
}
