// The package `redis`: records to a Redis server, through net.Conn of the host and the library redigo.
//
// Enters: batches. Leaves: commands in the order of the records. Invariant: a record counts as taken once the server has answered its
// command; while the server cannot, nothing overtakes it; what it refuses for good is a bad row.
package main

import lockgate "lockgate.dev/go"

func init() {
	lockgate.Export(lockgate.Package{
		Name: "redis", Version: "0.1.0", Doc: "Records to a Redis server.", Sinks: []lockgate.SinkPlugin{plugin},
	})
}

func main() {}

var plugin = lockgate.SinkPlugin{
	Description: lockgate.Description{
		Class:     "lockgate.RedisSink",
		Aliases:   []string{"RedisSink", "redis"},
		Doc:       "Writes records to Redis: strings, hashes, streams, lists, or messages to a channel.",
		Config:    settings{},
		Encodings: []lockgate.Encoding{lockgate.JSON, lockgate.Bytes},
		Requests:  []lockgate.Request{lockgate.AskTCP("{redis.address}"), lockgate.AskRead("{redis.tls.ca.file}")},
		Validate:  validate,
	},
	Open: open,
}
