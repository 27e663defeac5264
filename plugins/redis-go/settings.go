package main

import (
	"fmt"
	"net"
	"strings"

	lockgate "lockgate.dev/go"
)

// settings are the keys of the sink.
type settings struct {
	Address    string            `config:"redis.address,required,non-empty" doc:"Server, as host:port." group:"Server"`
	Username   string            `config:"redis.username" doc:"User of an access list; without one only the password is sent." group:"Server"`
	Password   lockgate.Password `config:"redis.password" doc:"Password." group:"Server"`
	Database   int64             `config:"redis.database" default:"0" min:"0" doc:"Number of the database." group:"Server"`
	TLS        bool              `config:"redis.tls" default:"false" doc:"Speak TLS. Needs redis.tls.ca.file." group:"Server" dependents:"redis.tls.ca.file,redis.tls.server.name"`
	CAFile     string            `config:"redis.tls.ca.file" doc:"PEM file with the certificates to trust, in a folder that the worker grants for reading; the sandbox has none of its own." group:"Server"`
	ServerName string            `config:"redis.tls.server.name" doc:"Name in the server's certificate; without: the host of redis.address." group:"Server" importance:"low"`
	TimeoutMS  int64             `config:"redis.timeout.ms" default:"10000" min:"1" max:"25000" doc:"Milliseconds at most to connect, to send and for each answer." group:"Server" importance:"low"`

	Command    string `config:"redis.command" default:"SET" one-of:"SET,HSET,XADD,LPUSH,RPUSH,PUBLISH" doc:"What is done with a record: SET its value, HSET the fields of its JSON object, XADD them to a stream, LPUSH or RPUSH the value to a list, PUBLISH it to a channel." group:"Writing" importance:"high"`
	Key        string `config:"redis.key" doc:"Key, stream, list or channel. {topic}, {partition}, {offset}, {key} and {any top-level field of the value} are filled in. Without: {key} for SET and HSET, {topic} for the others." group:"Writing" importance:"high"`
	TTL        int64  `config:"redis.ttl.seconds" default:"0" min:"0" doc:"Seconds that a key of SET or HSET lives from its last record on; 0: for ever." group:"Writing"`
	Tombstones string `config:"redis.tombstones" default:"delete" one-of:"delete,ignore,fail" doc:"A record without a value: DEL its key (SET and HSET; with other commands it is a bad record), ignore it, or make it a bad record." group:"Writing"`
	Field      string `config:"redis.value.field" default:"value" doc:"XADD: the field of a value that is no JSON object." group:"Writing" importance:"low"`
	KeyField   string `config:"redis.key.field" doc:"XADD: a field that gets the record's key; without: none." group:"Writing" importance:"low"`
	StreamID   string `config:"redis.stream.id" default:"auto" one-of:"auto,offset" doc:"XADD: ids of the server, or the record's offset + 1, so that a record that comes twice is written once; then redis.key must name {partition}." group:"Writing"`
	StreamMax  int64  `config:"redis.stream.maxlen" default:"0" min:"0" doc:"XADD: about how many entries a stream keeps; 0: all." group:"Writing"`
	BatchMax   int64  `config:"redis.batch.max" default:"500" min:"1" max:"10000" doc:"Records at most that are sent before their answers are read." group:"Writing" importance:"low"`
}

func validate(given lockgate.Settings) []lockgate.Advice {
	var s settings
	if err := given.Into(&s); err != nil {
		return nil // the host has said so already
	}
	var advice []lockgate.Advice
	for _, p := range s.problems() {
		advice = append(advice, lockgate.Advice{Key: p.Key, Errors: []string{p.Problem}})
	}
	return advice
}

// problems are those across keys.
func (s *settings) problems() []lockgate.Problem {
	var all []lockgate.Problem
	add := func(key, format string, args ...any) {
		all = append(all, lockgate.Problem{Key: key, Problem: fmt.Sprintf(format, args...)})
	}
	if _, port, err := net.SplitHostPort(s.Address); err != nil || port == "" {
		add("redis.address", "`%s` is not host:port", s.Address)
	}
	if s.TLS && s.CAFile == "" {
		add("redis.tls.ca.file", "is needed with redis.tls: the sandbox trusts no certificate of its own")
	}
	if !s.TLS && s.CAFile != "" {
		add("redis.tls.ca.file", "has no meaning without redis.tls = true")
	}
	if s.Username != "" && s.Password == "" {
		add("redis.password", "is needed with redis.username")
	}
	if _, err := parseTemplate(s.Key); err != nil {
		add("redis.key", "%v", err)
	}
	if s.TTL > 0 && s.Command != "SET" && s.Command != "HSET" {
		add("redis.ttl.seconds", "%s has no time to live", s.Command)
	}
	if s.StreamID == "offset" && !strings.Contains(s.Key, "{partition}") {
		add("redis.stream.id", "with `offset` each partition needs a stream of its own: name {partition} in redis.key")
	}
	return all
}

func (s *settings) template() template {
	text := s.Key
	if text == "" && (s.Command == "SET" || s.Command == "HSET") {
		text = "{key}"
	} else if text == "" {
		text = "{topic}"
	}
	parts, _ := parseTemplate(text) // was checked in open
	return parts
}
