package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	lockgate "lockgate.dev/go"
	"lockgate.dev/go/internal/wasi"
)

func init() { http.DefaultTransport = Transport{} }

// RoundTrip sends a request; see the package.
func (Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		defer request.Body.Close()
	}
	sent, err := plain(request)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if request.Body != nil && request.Body != http.NoBody {
		body = request.Body
	}
	answer, err := sent.Send(request.Context(), body)
	if err != nil {
		return nil, explained(err, request)
	}
	return response(answer, request), nil
}

// plain is the request as wasi:http has it.
func plain(request *http.Request) (*wasi.Request, error) {
	url := request.URL
	if url == nil || url.Host == "" || url.Scheme != "http" && url.Scheme != "https" {
		return nil, lockgate.Fatal("http.request", "`%v` is not an http:// or https:// URL with a host", url)
	}
	if request.Host != "" && request.Host != url.Host {
		return nil, lockgate.Fatal("http.request", "a Host header (%s) other than the URL's cannot be sent", request.Host)
	}
	sent := &wasi.Request{Method: request.Method, Authority: url.Host, Path: url.RequestURI(), TLS: url.Scheme == "https"}
	if sent.Method == "" {
		sent.Method = http.MethodGet
	}
	for name, values := range request.Header {
		switch name {
		case "Host", "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade", "Content-Length", "Te":
			continue // the host's own
		}
		for _, value := range values {
			sent.Fields = append(sent.Fields, wasi.Field{Name: strings.ToLower(name), Value: value})
		}
	}
	length := request.ContentLength
	empty := request.Body == nil || request.Body == http.NoBody
	if length > 0 && !empty || empty && (sent.Method == http.MethodPost || sent.Method == http.MethodPut || sent.Method == http.MethodPatch) {
		if empty {
			length = 0
		}
		sent.Fields = append(sent.Fields, wasi.Field{Name: "content-length", Value: strconv.FormatInt(length, 10)})
	}
	return sent, nil
}

// explained makes a fault of what went wrong, and leaves what the caller did himself.
func explained(err error, request *http.Request) error {
	where := request.URL.Redacted()
	var code wasi.HTTPError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, wasi.ErrFields):
		return lockgate.Fatal("http.request", "%s: %w", where, err)
	case !errors.As(err, &code):
		return err // of the caller's own body
	case code.Denied():
		return lockgate.Fatal("http.denied", "the worker does not allow this task to go to %s: the plugin asks for it (AskHTTP) and "+
			"lockgate.grants.http must cover it", where)
	case code.Invalid():
		return lockgate.Fatal("http.request", "%s: %w", where, err)
	case code.Timeout():
		return lockgate.Retriable("http.timeout", "no answer from %s in time: %w", where, err)
	}
	return lockgate.Retriable("http.transport", "%s: %w", where, err)
}

func response(answer *wasi.Response, request *http.Request) *http.Response {
	header, length := http.Header{}, int64(-1)
	for _, field := range answer.Fields {
		header.Add(field.Name, field.Value)
	}
	if stated, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64); err == nil {
		length = stated
	}
	return &http.Response{
		Status: strconv.Itoa(answer.Status) + " " + http.StatusText(answer.Status), StatusCode: answer.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, ContentLength: length, Request: request,
		Body: &body{answer, request.Context(), request.URL.Redacted(), nil},
	}
}

// body is the body of an answer. At its end the connection goes back by itself.
type body struct {
	answer *wasi.Response
	ctx    context.Context
	where  string
	ended  error
}

func (b *body) Read(into []byte) (int, error) {
	if b.ended != nil {
		return 0, b.ended
	}
	count, err := b.answer.Read(b.ctx, into)
	switch {
	case err == nil:
		return count, nil
	case err == io.EOF:
		b.answer.Close()
	case !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		err = lockgate.Retriable("http.transport", "the answer of %s broke off: %w", b.where, err)
	}
	b.ended = err
	return count, err
}

func (b *body) Close() error {
	b.answer.Close()
	if b.ended == nil {
		b.ended = http.ErrBodyReadAfterClose
	}
	return nil
}
