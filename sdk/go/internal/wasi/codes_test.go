package wasi

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The names stand in wit/deps in the order of their numbers.
func TestCodesHaveTheNumbersOfTheWIT(t *testing.T) {
	for _, c := range []struct {
		file, begin string
		count       int
		at          map[string]int
	}{
		{"http.wit", "variant error-code {", len(httpErrors), map[string]int{
			"DNS-timeout": dnsTimeout, "DNS-error": dnsError, "destination-IP-prohibited": addressRefused,
			"connection-timeout": connectionTimeout, "connection-write-timeout": connectionWriteTimeout, "HTTP-request-denied": requestDenied,
			"HTTP-request-method-invalid": methodInvalid, "HTTP-request-URI-too-long": uriTooLong,
			"HTTP-response-timeout": responseTimeout, "internal-error": internalError}},
		{"sockets.wit", "enum error-code {", len(socketErrors), map[string]int{"access-denied": int(AccessDenied), "would-block": int(wouldBlock)}},
	} {
		text, err := os.ReadFile("../../wit/deps/" + c.file)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, found := strings.Cut(string(text), c.begin)
		body, _, _ := strings.Cut(rest, "}")
		names := regexp.MustCompile(`(?m)^ +([A-Za-z-]+)(\(.*\))?,$`).FindAllStringSubmatch(body, -1)
		if !found || len(names) != c.count {
			t.Fatalf("%s: %d names, not %d", c.file, len(names), c.count)
		}
		for name, number := range c.at {
			if names[number][1] != name {
				t.Errorf("%s: %s is not %d", c.file, name, number)
			}
		}
	}
}

func TestErrorsSayWhatTheyAre(t *testing.T) {
	denied := HTTPError{Code: requestDenied, Text: "why"}
	if !denied.Denied() || denied.Invalid() || denied.Timeout() || denied.Error() != "request denied (why)" {
		t.Error(denied)
	}
	if late := (HTTPError{Code: connectionTimeout + 1}); !late.Timeout() || late.Denied() {
		t.Error(late)
	}
	if HTTPError.Error(HTTPError{Code: 99}) != "HTTP error 99" || SocketError(99).Error() != "socket error 99" || AccessDenied.Error() != "access denied" {
		t.Error("a code without a name")
	}
}
