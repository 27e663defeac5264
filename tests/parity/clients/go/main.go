// A connector's whole life by github.com/go-kafka/connect: walk URL TOPIC DIR. Ends with 0 if all of it went as with Kafka Connect.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/go-kafka/connect"
)

const name = "by-go"

func main() {
	if len(os.Args) != 4 {
		fail("walk URL TOPIC DIR")
	}
	url, topic, dir := os.Args[1], os.Args[2], os.Args[3]
	client := connect.NewClient(url)
	config := connect.ConnectorConfig{"connector.class": "FileStreamSink", "topics": topic, "file": dir + "/by-go.txt", "tasks.max": "1"}

	created := &connect.Connector{Name: name, Config: config}
	response, err := client.CreateConnector(created)
	good("create", err)
	expect("status of create", response.StatusCode, 201)
	expect("name given by create", created.Name, name)
	_, err = client.CreateConnector(&connect.Connector{Name: name, Config: config})
	refused("create again", err, 409)
	_, err = client.CreateConnector(&connect.Connector{Name: "bad", Config: connect.ConnectorConfig{"tasks.max": "0"}})
	refused("create without a class", err, 400)

	names, _, err := client.ListConnectors()
	good("list", err)
	expect("names", fmt.Sprint(names), "["+name+"]")
	state(client, "RUNNING")
	got, _, err := client.GetConnector(name)
	good("get", err)
	expect("tasks of get", fmt.Sprint(got.Tasks), "[{by-go 0}]")
	kept, _, err := client.GetConnectorConfig(name)
	good("config", err)
	expect("topics of config", kept["topics"], topic)
	expect("name of config", kept["name"], name)
	tasks, _, err := client.GetConnectorTasks(name)
	good("tasks", err)
	expect("tasks", len(tasks), 1)

	config["note"] = "changed"
	updated, _, err := client.UpdateConnectorConfig(name, config)
	good("update", err)
	expect("note of update", updated.Config["note"], "changed")
	_, err = client.PauseConnector(name)
	good("pause", err)
	state(client, "PAUSED")
	_, err = client.ResumeConnector(name)
	good("resume", err)
	state(client, "RUNNING")
	_, err = client.RestartConnector(name)
	good("restart", err)
	state(client, "RUNNING")
	_, err = client.RestartConnector("nobody")
	refused("restart of nobody", err, 404)

	_, err = client.DeleteConnector(name)
	good("delete", err)
	_, _, err = client.GetConnector(name)
	refused("get after delete", err, 404)
	fmt.Println("good")
}

// state waits until the connector and its only task are in a state.
func state(client *connect.Client, wanted string) {
	var last interface{}
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		status, _, err := client.GetConnectorStatus(name)
		if err == nil && status.Connector.State == wanted && len(status.Tasks) == 1 && status.Tasks[0].State == wanted {
			return
		}
		last = fmt.Sprint(status, err)
	}
	fail("never %s: %v", wanted, last)
}

func good(what string, err error) {
	if err != nil {
		fail("%s: %v", what, err)
	}
}

func refused(what string, err error, code int) {
	refusal, ok := err.(connect.APIError)
	if !ok || refusal.Code != code || refusal.Message == "" {
		fail("%s: %#v instead of %d", what, err, code)
	}
}

func expect(what string, seen, wanted interface{}) {
	if seen != wanted {
		fail("%s: %v instead of %v", what, seen, wanted)
	}
}

func fail(text string, values ...interface{}) {
	fmt.Fprintf(os.Stderr, text+"\n", values...)
	os.Exit(1)
}
