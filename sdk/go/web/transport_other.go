//go:build !wasip1

package web

import "net/http"

// RoundTrip sends a request; see the package.
func (Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	return http.DefaultTransport.RoundTrip(request)
}
