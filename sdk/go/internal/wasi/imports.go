//go:build wasip1

package wasi

import "unsafe"

// The imports, by the component model's names: handles are uint32, a list or text is an address and a length, an option is a flag before
// its value, and an answer of more than one number is written to `result`. That each has the right numbers is checked against wit/deps
// when a package is built. What no package calls is not in it.

//go:wasmimport wasi:io/poll@0.2.12 poll
func ioPoll(pollables unsafe.Pointer, count uint32, result unsafe.Pointer)

//go:wasmimport wasi:io/poll@0.2.12 [resource-drop]pollable
func dropPollable(pollable uint32)

//go:wasmimport wasi:io/error@0.2.12 [method]error.to-debug-string
func errorText(err uint32, result unsafe.Pointer)

//go:wasmimport wasi:io/error@0.2.12 [resource-drop]error
func dropError(err uint32)

//go:wasmimport wasi:io/streams@0.2.12 [method]input-stream.read
func inputRead(stream uint32, most uint64, result unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.12 [method]input-stream.subscribe
func inputSubscribe(stream uint32) uint32

//go:wasmimport wasi:io/streams@0.2.12 [resource-drop]input-stream
func dropInput(stream uint32)

//go:wasmimport wasi:io/streams@0.2.12 [method]output-stream.check-write
func outputCheck(stream uint32, result unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.12 [method]output-stream.write
func outputWrite(stream uint32, bytes unsafe.Pointer, count uint32, result unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.12 [method]output-stream.flush
func outputFlush(stream uint32, result unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.12 [method]output-stream.subscribe
func outputSubscribe(stream uint32) uint32

//go:wasmimport wasi:io/streams@0.2.12 [resource-drop]output-stream
func dropOutput(stream uint32)

//go:wasmimport wasi:clocks/monotonic-clock@0.2.12 subscribe-duration
func subscribeDuration(nanoseconds uint64) uint32

//go:wasmimport wasi:http/types@0.2.12 [static]fields.from-list
func fieldsFromList(entries unsafe.Pointer, count uint32, result unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.12 [method]fields.entries
func fieldsEntries(fields uint32, result unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.12 [resource-drop]fields
func dropFields(fields uint32)

//go:wasmimport wasi:http/types@0.2.12 [constructor]outgoing-request
func newRequest(headers uint32) uint32

//go:wasmimport wasi:http/types@0.2.12 [method]outgoing-request.set-method
func setMethod(request, method uint32, other unsafe.Pointer, length uint32) uint32

//go:wasmimport wasi:http/types@0.2.12 [method]outgoing-request.set-path-with-query
func setPath(request, some uint32, path unsafe.Pointer, length uint32) uint32

//go:wasmimport wasi:http/types@0.2.12 [method]outgoing-request.set-scheme
func setScheme(request, some, scheme uint32, other unsafe.Pointer, length uint32) uint32

//go:wasmimport wasi:http/types@0.2.12 [method]outgoing-request.set-authority
func setAuthority(request, some uint32, authority unsafe.Pointer, length uint32) uint32

//go:wasmimport wasi:http/types@0.2.12 [method]outgoing-request.body
func requestBody(request uint32, result unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.12 [resource-drop]outgoing-request
func dropRequest(request uint32)

//go:wasmimport wasi:http/types@0.2.12 [constructor]request-options
func newOptions() uint32

//go:wasmimport wasi:http/types@0.2.12 [method]request-options.set-connect-timeout
func setConnectTimeout(options, some uint32, nanoseconds uint64) uint32

//go:wasmimport wasi:http/types@0.2.12 [method]request-options.set-first-byte-timeout
func setFirstByteTimeout(options, some uint32, nanoseconds uint64) uint32

//go:wasmimport wasi:http/types@0.2.12 [method]request-options.set-between-bytes-timeout
func setBetweenBytesTimeout(options, some uint32, nanoseconds uint64) uint32

//go:wasmimport wasi:http/types@0.2.12 [method]outgoing-body.write
func bodyWrite(body uint32, result unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.12 [static]outgoing-body.finish
func bodyFinish(body, some, trailers uint32, result unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.12 [resource-drop]outgoing-body
func dropOutgoingBody(body uint32)

//go:wasmimport wasi:http/types@0.2.12 [method]future-incoming-response.subscribe
func futureSubscribe(future uint32) uint32

//go:wasmimport wasi:http/types@0.2.12 [method]future-incoming-response.get
func futureGet(future uint32, result unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.12 [resource-drop]future-incoming-response
func dropFuture(future uint32)

//go:wasmimport wasi:http/types@0.2.12 [method]incoming-response.status
func responseStatus(response uint32) uint32

//go:wasmimport wasi:http/types@0.2.12 [method]incoming-response.headers
func responseHeaders(response uint32) uint32

//go:wasmimport wasi:http/types@0.2.12 [method]incoming-response.consume
func responseConsume(response uint32, result unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.12 [resource-drop]incoming-response
func dropResponse(response uint32)

//go:wasmimport wasi:http/types@0.2.12 [method]incoming-body.stream
func bodyStream(body uint32, result unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.12 [resource-drop]incoming-body
func dropIncomingBody(body uint32)

//go:wasmimport wasi:http/outgoing-handler@0.2.12 handle
func httpHandle(request, some, options uint32, result unsafe.Pointer)

//go:wasmimport wasi:sockets/instance-network@0.2.12 instance-network
func instanceNetwork() uint32

//go:wasmimport wasi:sockets/ip-name-lookup@0.2.12 resolve-addresses
func resolveAddresses(network uint32, name unsafe.Pointer, length uint32, result unsafe.Pointer)

//go:wasmimport wasi:sockets/ip-name-lookup@0.2.12 [method]resolve-address-stream.resolve-next-address
func resolveNext(stream uint32, result unsafe.Pointer)

//go:wasmimport wasi:sockets/ip-name-lookup@0.2.12 [method]resolve-address-stream.subscribe
func resolveSubscribe(stream uint32) uint32

//go:wasmimport wasi:sockets/ip-name-lookup@0.2.12 [resource-drop]resolve-address-stream
func dropResolve(stream uint32)

//go:wasmimport wasi:sockets/tcp-create-socket@0.2.12 create-tcp-socket
func createSocket(family uint32, result unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.start-connect
func startConnect(socket, network, family, port, a, b, c, d, e, f, g, h, i, j uint32, result unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.finish-connect
func finishConnect(socket uint32, result unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.subscribe
func socketSubscribe(socket uint32) uint32

//go:wasmimport wasi:sockets/tcp@0.2.12 [resource-drop]tcp-socket
func dropSocket(socket uint32)
