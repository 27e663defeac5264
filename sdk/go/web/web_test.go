package web

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	lockgate "lockgate.dev/go"
)

func TestAnAnswerSaysWhetherToTryAgain(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/busy":
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/gone":
			w.WriteHeader(http.StatusGone)
		default:
			_, _ = io.Copy(w, r.Body)
		}
	}))
	defer server.Close()
	for path, fault := range map[string]string{"/busy": "answered 503", "/gone": "answered 410", "/echo": ""} {
		answer, err := Client.Post(server.URL+path, "text/plain", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		var found *lockgate.Fault
		err = Check(answer)
		switch {
		case fault == "" && (err != nil || string(body) != "hello"):
			t.Errorf("%s: %v %q", path, err, body)
		case fault != "" && (!errors.As(err, &found) || found.Code != "http.status" || !strings.Contains(found.Message, fault)):
			t.Errorf("%s: %v", path, err)
		}
	}
}
