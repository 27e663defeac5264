package main

import (
	"context"
	"testing"

	lockgate "lockgate.dev/go"
)

func TestEachOccurrenceIsReplacedAndOtherValuesStay(t *testing.T) {
	step := lockgate.Task{Settings: lockgate.Settings{"find": "a"}}
	opened, err := plugin.Open(context.Background(), step)
	if err != nil {
		t.Fatal(err)
	}
	transform := opened.(*myTransform)
	if changed, found := transform.replaced([]byte("a b a")); !found || string(changed) != "*** b ***" {
		t.Errorf("%q %t", changed, found)
	}
	if _, found := transform.replaced(nil); found {
		t.Error("a tombstone has nothing to replace")
	}
	step.Settings["find"] = ""
	if _, err := plugin.Open(context.Background(), step); err == nil {
		t.Error("nothing to find is refused")
	}
}
