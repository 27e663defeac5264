//go:build !wasip1

package lockgate

import "os"

// Outside the sandbox, in tests of a plugin, lines go to stderr, state is in memory, metrics are forgotten.

var fakeState = map[string][]byte{}

func hostLowestLevel() uint8              { return 1 }
func hostLog(_ uint8, line string)        { _, _ = os.Stderr.WriteString(line + "\n") }
func hostCount(string, float64)           {}
func hostGauge(string, float64)           {}
func hostObserve(string, float64)         {}
func hostRemoveState(key string)          { delete(fakeState, key) }
func hostCancelled() bool                 { return false }
func hostRequestReconfiguration()         {}
func hostPositions(all []string) []string { return make([]string, len(all)) }

func hostState(key string) ([]byte, bool) {
	value, found := fakeState[key]
	return value, found
}

func hostSetState(key string, value []byte) string {
	fakeState[key] = append([]byte{}, value...)
	return ""
}
