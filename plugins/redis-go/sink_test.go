package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	lockgate "lockgate.dev/go"
)

// server answers each command as the test says, +OK without a say.
type server struct {
	address string
	mutex   sync.Mutex
	heard   []string
	answers map[string]string // by the beginning of the command; "" closes the connection
}

func serve(t *testing.T, answers map[string]string) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	s := &server{address: listener.Addr().String(), answers: answers}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.converse(conn)
		}
	}()
	return s
}

func (s *server) converse(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	number := func() int {
		line, err := in.ReadString('\n')
		if err != nil {
			return -1
		}
		n, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
		return n
	}
	for {
		count := number()
		if count < 0 {
			return
		}
		var words []string
		for range count {
			word := make([]byte, number()+2)
			for at := range word {
				word[at], _ = in.ReadByte()
			}
			words = append(words, string(word[:len(word)-2]))
		}
		if !s.answer(conn, strings.Join(words, " ")) {
			return
		}
	}
}

func (s *server) answer(conn net.Conn, command string) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.heard = append(s.heard, command)
	for begin, answer := range s.answers {
		if strings.HasPrefix(command, begin) {
			delete(s.answers, begin)
			fmt.Fprint(conn, answer)
			return answer != ""
		}
	}
	fmt.Fprint(conn, "+OK\r\n")
	return true
}

func (s *server) take() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	all := strings.Join(s.heard, "|")
	s.heard = nil
	return all
}

func opened(t *testing.T, s *server, settings lockgate.Settings, value lockgate.Encoding) *sink {
	t.Helper()
	settings["redis.address"] = s.address
	made, err := open(context.Background(), lockgate.Task{Settings: settings, Formats: lockgate.Formats{Value: value}})
	if err != nil {
		t.Fatal(err)
	}
	return made.(*sink)
}

// given is a batch of pairs of key and value; "-" is null.
func given(pairs ...string) *lockgate.Batch {
	out := lockgate.NewWriter(100, 10_000)
	bytes := func(text string) []byte {
		if text == "-" {
			return nil
		}
		return []byte(text)
	}
	for at := 0; at < len(pairs); at += 2 {
		out.Write(lockgate.Written{Topic: out.Topic("t"), Key: bytes(pairs[at]), Value: bytes(pairs[at+1])})
	}
	return out.Batch()
}

func put(t *testing.T, s *sink, batch *lockgate.Batch) string {
	t.Helper()
	var report lockgate.Report
	if err := s.Put(context.Background(), batch, &report); err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, r := range report.Rows() {
		rows = append(rows, fmt.Sprintf("%d %s", r.Row, r.Code))
	}
	return strings.Join(rows, ",")
}

func TestEachCommandWritesWhatItSays(t *testing.T) {
	for _, c := range []struct {
		settings string
		batch    *lockgate.Batch
		heard    string
		bad      string
	}{
		{"", given("a", "1", "b", "-", "-", "2"), "SET a 1|DEL b", "2 redis.record"},
		{"redis.ttl.seconds=60 redis.key=x:{topic}:{key}", given("a", `"text"`), `SET x:t:a text EX 60`, ""},
		{"redis.tombstones=ignore", given("a", "-"), "", ""},
		{"redis.tombstones=fail", given("a", "-"), "", "0 redis.record"},
		{"redis.command=HSET redis.ttl.seconds=5", given("a", `{"n":1.50,"s":"é","o":{"x":[1]},"z":null}`, "b", "-"),
			`HSET a n 1.50 s é o {"x":[1]}|HDEL a z|EXPIRE a 5|DEL b`, ""},
		{"redis.command=HSET", given("a", "7", "b", `{"x":`, "c", "{}"), "", "0 redis.record,1 redis.record"},
		{"redis.command=XADD redis.stream.maxlen=9 redis.key.field=k", given("a", `{"n":1}`, "-", `"v"`, "a", "-"),
			"XADD t MAXLEN ~ 9 * k a n 1|XADD t MAXLEN ~ 9 * value v", "2 redis.record"},
		{"redis.command=XADD redis.stream.id=offset redis.key={topic}-{partition}", given("a", "1"), "XADD t-4294967295 0-0 value 1", ""},
		{"redis.command=LPUSH redis.key=l:{id}", given("a", `{"id":7}`, "a", `{}`), `LPUSH l:7 {"id":7}`, "1 redis.record"},
		{"redis.command=PUBLISH", given("-", "m"), "PUBLISH t m", ""},
	} {
		settings := lockgate.Settings{}
		for _, pair := range strings.Fields(c.settings) {
			key, value, _ := strings.Cut(pair, "=")
			settings[key] = value
		}
		server := serve(t, nil)
		sink := opened(t, server, settings, lockgate.JSON)
		bad := put(t, sink, c.batch)
		if heard := server.take(); heard != c.heard || bad != c.bad {
			t.Errorf("%s:\n %s\n %s\nbad %s", c.settings, heard, c.heard, bad)
		}
	}
}

func TestOpaqueValuesAreWrittenAsTheyAre(t *testing.T) {
	server := serve(t, nil)
	put(t, opened(t, server, lockgate.Settings{}, lockgate.Bytes), given("a", `"\x00null"`, "b", "null"))
	if heard := server.take(); heard != `SET a "\x00null"|SET b null` {
		t.Errorf("%q", heard)
	}
}

func TestWhatTheServerRefusesIsABadRowAndTheOthersAreTaken(t *testing.T) {
	server := serve(t, map[string]string{"SET b": "-WRONGTYPE Operation against a key\r\n"})
	if bad := put(t, opened(t, server, lockgate.Settings{}, lockgate.Bytes), given("a", "1", "b", "2", "c", "3")); bad != "1 redis.answer" {
		t.Error(bad)
	}
}

func TestABusyServerIsAskedAgainFromWhereItStopped(t *testing.T) {
	for _, answer := range []string{"-LOADING Redis is loading\r\n", "-READONLY You can't write\r\n", "-OOM command not allowed\r\n"} {
		server := serve(t, map[string]string{"SET b": answer, "SET a": "-WRONGTYPE no\r\n"})
		sink, batch := opened(t, server, lockgate.Settings{"redis.batch.max": "2"}, lockgate.Bytes), given("a", "1", "b", "2", "c", "3")
		var report lockgate.Report
		err := sink.Put(context.Background(), batch, &report)
		var fault *lockgate.Fault
		if !errors.As(err, &fault) || fault.Code != "redis.busy" || len(report.Rows()) != 0 {
			t.Fatal(err, report.Rows())
		}
		server.take()
		if bad := put(t, sink, batch); bad != "0 redis.answer" || server.take() != "SET b 2|SET c 3" {
			t.Error(bad)
		}
	}
}

func TestAKeptConnectionThatWasClosedIsReplacedAtOnce(t *testing.T) {
	server := serve(t, map[string]string{"SET b": ""})
	sink := opened(t, server, lockgate.Settings{}, lockgate.Bytes)
	put(t, sink, given("a", "1"))
	put(t, sink, given("b", "2", "c", "3"))
	if heard := server.take(); !strings.HasSuffix(heard, "SET b 2|SET c 3") {
		t.Error(heard)
	}
}

func TestTheGreetingSignsInAndAWrongPasswordIsFatal(t *testing.T) {
	settings := lockgate.Settings{"redis.username": "u", "redis.password": "secret", "redis.database": "3"}
	server := serve(t, nil)
	put(t, opened(t, server, settings, lockgate.Bytes), given("a", "1"))
	if heard := server.take(); heard != "AUTH u secret|SELECT 3|SET a 1" {
		t.Error(heard)
	}
	server = serve(t, map[string]string{"AUTH": "-WRONGPASS invalid username-password pair\r\n"})
	var report lockgate.Report
	err := opened(t, server, settings, lockgate.Bytes).Put(context.Background(), given("a", "1"), &report)
	var fault *lockgate.Fault
	if !errors.As(err, &fault) || fault.Code != "redis.auth" || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

func TestARecordThatIsInTheStreamAlreadyIsTaken(t *testing.T) {
	server := serve(t, map[string]string{"XADD": "-ERR The ID specified in XADD is equal or smaller than the target stream top item\r\n"})
	settings := lockgate.Settings{"redis.command": "XADD", "redis.stream.id": "offset", "redis.key": "{topic}-{partition}"}
	if bad := put(t, opened(t, server, settings, lockgate.Bytes), given("a", "1")); bad != "" {
		t.Error(bad)
	}
}

func TestSettingsThatContradictEachOtherAreNamed(t *testing.T) {
	advice := validate(lockgate.Settings{"redis.address": "nowhere", "redis.tls": "true", "redis.key": "a{", "redis.username": "u",
		"redis.command": "PUBLISH", "redis.ttl.seconds": "1", "redis.stream.id": "offset"})
	var keys []string
	for _, a := range advice {
		keys = append(keys, a.Key)
	}
	if strings.Join(keys, " ") != "redis.address redis.tls.ca.file redis.password redis.key redis.ttl.seconds redis.stream.id" {
		t.Error(keys)
	}
}
