"""A connector's whole life by three clients from PyPI: walk.py URL TOPIC DIR. Ends with 0 if all went as with Kafka Connect."""

import json
import sys
import time

import kafkaconnect.connect
from kafka_connect import KafkaConnect
from kafka_connect_api import kafka_connect_api
from kafka_connect_api.errors import GenericNotFound
from requests.exceptions import HTTPError


def eventually(what, question):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        last = question()
        if last is True:
            return
        time.sleep(0.05)
    sys.exit(f"never {what}: {last}")


def refused(call, status):
    try:
        call()
    except HTTPError as error:
        seen = error.response.status_code if error.response is not None else json.loads(str(error))["error_code"]
        assert seen == status, f"{seen} instead of {status}"
        return
    raise AssertionError(f"taken, not refused with {status}")


def not_there(call):
    try:
        call()
    except GenericNotFound as error:
        assert "not found" in str(error), error
        return
    raise AssertionError("found, though not there")


def sink(topic, dir, name):
    return {"connector.class": "FileStreamSink", "topics": topic, "file": f"{dir}/{name}.txt", "tasks.max": 1}


def by_kafka_connect_py(url, topic, dir):
    client, name = KafkaConnect(url=url), "by-kafka-connect-py"

    def state(wanted, tasks=1):
        def look():
            status = client.get_connector_status(name)
            states = [status["connector"]["state"]] + [task["state"] for task in status["tasks"]]
            return states == [wanted] * (tasks + 1) or states

        eventually(wanted, look)

    assert set(client.get_cluster_info()) == {"version", "commit", "kafka_cluster_id"}
    assert client.list_connectors() == []
    config = sink(topic, dir, name)
    created = client.create_connector({"name": name, "config": config})
    assert created["config"]["tasks.max"] == "1" and created["type"] == "sink", created
    refused(lambda: client.create_connector({"name": name, "config": config}), 409)
    refused(lambda: client.create_connector({"name": "bad", "config": {}}), 400)
    state("RUNNING")
    assert client.list_connectors() == [name]
    assert set(client.list_connectors(expand="info")[name]) == {"info"}
    assert client.list_connectors(expand="status", state="running").keys() == {name}
    assert client.get_connector(name)["tasks"] == [{"connector": name, "task": 0}]
    assert client.get_connector_config(name)["name"] == name
    assert client.list_connector_tasks(name)[0]["id"] == {"connector": name, "task": 0}
    assert client.get_connector_task_status(name, 0)["state"] == "RUNNING"
    assert client.update_connector(name, {**config, "note": "changed"})["config"]["note"] == "changed"
    state("RUNNING")
    client.pause_connector(name)
    state("PAUSED")
    client.resume_connector(name)
    state("RUNNING")
    assert client.restart_connector(name) is None
    assert client.restart_connector(name, include_tasks=True)["name"] == name
    state("RUNNING")
    client.restart_connector_task(name, 0)
    state("RUNNING")
    refused(lambda: client.restart_connector("nobody"), 404)
    client.reset_connector_topics(name)
    assert list(client.list_connector_topics(name)) == [name]
    assert any(plugin["class"].endswith("FileStreamSinkConnector") for plugin in client.list_connector_plugins())
    checked = client.validate_connector_config("FileStreamSink", {"name": name, **config, "tasks.max": 0})
    assert checked["error_count"] == 1, checked
    client.stop_connector(name)
    state("STOPPED", tasks=0)
    client.delete_connector(name)
    refused(lambda: client.get_connector(name), 404)


def by_kafka_connect_api(url, topic, dir):
    host, port = url.removeprefix("http://").split(":")
    cluster, name = kafka_connect_api.Cluster(kafka_connect_api.Api(host, int(port))), "by-kafka-connect-api"
    connector = kafka_connect_api.Connector(cluster, name)
    assert cluster.version and cluster.kafka_cluster
    not_there(connector.exists)
    connector.config = sink(topic, dir, name)
    assert connector.exists() and name in cluster.connectors
    eventually("RUNNING", lambda: connector.state == "RUNNING" and len(connector.tasks) == 1 and connector.tasks[0].is_running())
    assert connector.connector_class == "FileStreamSink"
    connector.pause()
    eventually("PAUSED", lambda: connector.state == "PAUSED")
    connector.resume()
    connector.restart()
    connector.restart_all_tasks()
    connector.cycle_connector()
    eventually("RUNNING again", lambda: connector.state == "RUNNING" and connector.tasks[0].is_running())
    assert "level" in cluster.root_logger, cluster.loggers
    cluster.root_logger = "INFO"
    connector.delete()
    not_there(connector.exists)


def by_kafkaconnect(url, topic, dir):
    client, name = kafkaconnect.connect.Connect(url), "by-kafkaconnect"
    config = {"name": name, **sink(topic, dir, name)}
    text = json.dumps(config)
    results = json.loads(client.validate("FileStreamSink", text))
    assert results["error_count"] == 0, results
    assert json.loads(client.create_or_update(name, text))["name"] == name
    eventually("RUNNING", lambda: client.status(name).count('"RUNNING"') == 2 or client.status(name))
    assert json.loads(client.list()) == [name]
    assert json.loads(client.info(name))["config"]["file"] == config["file"]
    assert json.loads(client.config(name))["topics"] == topic
    assert len(json.loads(client.tasks(name))) == 1
    assert list(json.loads(client.topics(name))) == [name]
    assert "FileStreamSink" in client.plugins()
    assert client.pause(name) == "" and client.resume(name) == "" and client.restart(name) == ""
    assert client.remove(name) == ""
    assert client.info(name).endswith("not found.")


def main():
    url, topic, dir = sys.argv[1:]
    url = url.rstrip("/")
    for walk in (by_kafka_connect_py, by_kafka_connect_api, by_kafkaconnect):
        walk(url, topic, dir)
        print(walk.__name__, "good")


main()
