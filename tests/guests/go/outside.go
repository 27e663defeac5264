package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	lockgate "lockgate.dev/go"
	"lockgate.dev/go/tcp"
	"lockgate.dev/go/web"
)

// shownMax is how many bytes of a body are logged.
const shownMax = 64

// client is net/http as it is; a redirect is an answer like any other.
var client = &http.Client{
	Transport:     web.Transport{},
	Timeout:       60 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// overHTTP posts each record; what the server refuses is a bad row.
func (s *sink) overHTTP(ctx context.Context, batch *lockgate.Batch, report *lockgate.Report) error {
	for at, record := range batch.All() {
		url := fmt.Sprintf("%s/%s/%d", s.URL, record.Topic(), record.Offset())
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(record.Value()))
		if err != nil {
			return err
		}
		request.Header.Set("X-Ref", strconv.FormatUint(uint64(record.Partition()), 10))
		answer, err := client.Do(request)
		if err != nil {
			return notYet("ref.http", fmt.Errorf("no answer: %w", err))
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			return notYet("ref.http", fmt.Errorf("no answer: %w", err))
		}
		switch status := answer.StatusCode; {
		case status >= 200 && status <= 299:
			text, header := "...", answer.Header.Get("X-Ref")
			if len(body) <= shownMax {
				text = string(body)
			}
			if header == "" {
				header = "-"
			}
			say("http %d %s %d %s", status, header, len(body), text)
		case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
			seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
			return lockgate.Retriable("ref.http", "status %d", status).After(time.Duration(seconds) * time.Second)
		default:
			report.Bad(at, "ref.http", fmt.Sprintf("status %d", status))
		}
	}
	return nil
}

// overTCP sends each value as a line, and reads one back.
func (s *sink) overTCP(ctx context.Context, batch *lockgate.Batch) error {
	conn, err := tcp.Dial(ctx, "tcp", s.TCP)
	if err != nil {
		return notYet("ref.tcp", err)
	}
	defer conn.Close()
	lines := bufio.NewReader(conn)
	for _, record := range batch.All() {
		if _, err := conn.Write(append(bytes.Clone(record.Value()), '\n')); err != nil {
			return notYet("ref.tcp", err)
		}
		line, err := lines.ReadString('\n')
		if err != nil {
			return notYet("ref.tcp", err)
		}
		say("tcp %s", line[:len(line)-1])
	}
	return nil
}

// notYet hides the fault inside: the contract asks for one of its own.
func notYet(code string, err error) error {
	return lockgate.Retriable(code, "%s", err.Error()).After(100 * time.Millisecond)
}
