package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"

	lockgate "lockgate.dev/go"
	"lockgate.dev/go/tcp"
)

// connect dials, secures, signs in and chooses the database.
func (s *settings) connect(ctx context.Context) (redis.Conn, error) {
	timeout := time.Duration(s.TimeoutMS) * time.Millisecond
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := tcp.Dial(within, "tcp", s.Address)
	if err != nil {
		return nil, err
	}
	if s.TLS {
		if conn, err = s.secure(conn, time.Now().Add(timeout)); err != nil {
			return nil, err
		}
	}
	client := redis.NewConn(conn, timeout, timeout)
	for _, c := range s.greeting() {
		if _, err := client.Do(c.name, c.args...); err != nil {
			client.Close()
			return nil, s.refused(err)
		}
	}
	return client, nil
}

func (s *settings) greeting() []command {
	var all []command
	switch {
	case s.Username != "":
		all = append(all, command{"AUTH", []any{s.Username, string(s.Password)}})
	case s.Password != "":
		all = append(all, command{"AUTH", []any{string(s.Password)}})
	}
	if s.Database != 0 {
		all = append(all, command{"SELECT", []any{s.Database}})
	}
	return all
}

// refused is why the server does not let the sink in.
func (s *settings) refused(err error) error {
	var answer redis.Error
	if !errors.As(err, &answer) || judge(answer) == later {
		return unreachable(s.Address, err)
	}
	if judge(answer) == never {
		return lockgate.Fatal("redis.auth", "%s does not let this connector in: %s; check redis.username and redis.password", s.Address, answer)
	}
	return lockgate.Fatal("redis.greeting", "%s answered %s; check redis.database and redis.password", s.Address, answer)
}

func (s *settings) secure(conn net.Conn, deadline time.Time) (net.Conn, error) {
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		conn.Close()
		return nil, lockgate.Fatal("redis.tls", "redis.tls.ca.file: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		conn.Close()
		return nil, lockgate.Fatal("redis.tls", "redis.tls.ca.file has no certificate in it")
	}
	name := s.ServerName
	if name == "" {
		name, _, _ = net.SplitHostPort(s.Address) // was checked in open
	}
	secure := tls.Client(conn, &tls.Config{ServerName: name, RootCAs: roots, MinVersion: tls.VersionTLS12})
	_ = conn.SetDeadline(deadline)
	err = secure.Handshake()
	_ = conn.SetDeadline(time.Time{})
	if err == nil {
		return secure, nil
	}
	conn.Close()
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		return nil, lockgate.Fatal("redis.tls", "the certificate of %s does not stand up to redis.tls.ca.file and its name: %w", s.Address, err)
	}
	return nil, unreachable(s.Address, err)
}

func unreachable(address string, err error) error {
	var fault *lockgate.Fault
	if errors.As(err, &fault) {
		return err
	}
	return lockgate.Retriable("redis.connect", "%s cannot be reached: %w", address, err)
}

type verdict int

const (
	bad   verdict = iota // this record, for good
	later                // the server cannot for now
	never                // this connector, until somebody looks
	twice                // it is there already
)

// judge says what an error of the server means, by the word it begins with.
func judge(answer redis.Error) verdict {
	word, _, _ := strings.Cut(string(answer), " ")
	switch word {
	case "LOADING", "READONLY", "MASTERDOWN", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "OOM", "NOREPLICAS", "MISCONF", "UNBLOCKED":
		return later
	case "NOAUTH", "WRONGPASS", "NOPERM", "MOVED", "ASK":
		return never
	}
	switch text := string(answer); {
	case strings.HasPrefix(text, "ERR The ID specified in XADD is equal or smaller"):
		return twice
	case strings.HasPrefix(text, "ERR max number of clients"):
		return later
	case strings.HasPrefix(text, "ERR invalid password"), strings.HasPrefix(text, "ERR AUTH"), strings.HasPrefix(text, "ERR Client sent AUTH"):
		return never
	}
	return bad
}
