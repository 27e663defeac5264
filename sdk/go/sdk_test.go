package lockgate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestRecordsReadBackAsTheyWereWritten(t *testing.T) {
	out := NewWriter(10, 1000)
	a, b := out.Topic("a"), out.Topic("b")
	schema := out.Schema(`{"type":"string"}`)
	three := uint32(3)
	out.Write(Written{Topic: b, Key: []byte("k"), Value: []byte("v"), Headers: []Header{{Name: "h", Value: []byte("1")}, {Name: "h"}}})
	out.Write(Written{Topic: a, Key: []byte{}, Partition: &three, Timestamp: time.UnixMilli(5), ValueSchema: schema})
	batch := out.Batch()
	first, second := batch.At(0), batch.At(1)
	if first.Topic() != "b" || string(first.Key()) != "k" || string(first.Value()) != "v" || first.Partition() != AnyPartition {
		t.Errorf("%+v", first)
	}
	var headers []string
	for h := range first.Headers() {
		headers = append(headers, fmt.Sprintf("%s=%s/%t", h.Name, h.Value, h.Value == nil))
	}
	if !reflect.DeepEqual(headers, []string{"h=1/false", "h=/true"}) {
		t.Error(headers)
	}
	if value, found := first.Header("h"); !found || value != nil {
		t.Error("the last header of a name counts", value, found)
	}
	if second.Key() == nil || second.Value() != nil || second.Partition() != 3 || second.Timestamp() != 5 {
		t.Errorf("%+v", second)
	}
	if second.ValueSchema() != `{"type":"string"}` || second.KeySchema() != "" {
		t.Error(second.ValueSchema(), second.KeySchema())
	}
}

func TestPositionsHoldAfterTheRowsBeforeThem(t *testing.T) {
	out := NewWriter(10, 1000)
	out.Position("{}", `{"n":0}`)
	out.Write(Written{Topic: out.Topic("t")})
	out.Write(Written{})
	out.Position("{}", `{"n":2}`)
	if positions, after := out.Positions(); len(positions) != 2 || !reflect.DeepEqual(after, []int{-1, 1}) {
		t.Error(positions, after)
	}
}

func TestTheBoundsHoldAndALargeRecordTravelsAlone(t *testing.T) {
	out := NewWriter(2, 10)
	if !out.Fits(1_000_000) {
		t.Error("the first record always fits")
	}
	out.Write(Written{Topic: out.Topic("t"), Value: []byte("12345")})
	if !out.Fits(5) || out.Fits(6) || out.Full() {
		t.Error("five bytes are left")
	}
	out.Write(Written{})
	if !out.Full() || out.Fits(0) {
		t.Error("two records are the bound")
	}
}

func TestSettingsAreTypedAndAllProblemsComeAtOnce(t *testing.T) {
	type config struct {
		File   string   `config:"file,required" doc:"d"`
		Size   int64    `config:"n" default:"7" min:"1"`
		Mode   string   `config:"mode" default:"a" one-of:"a, b"`
		Hosts  []string `config:"hosts,non-empty"`
		On     bool     `config:"on"`
		Secret Password `config:"secret"`
		Rate   float64  `config:"rate"`
		other  int
	}
	var c config
	good := Settings{"file": "/a", "hosts": " x , y", "on": "TRUE", "secret": "s3", "rate": "2.5"}
	if err := good.Into(&c); err != nil || c.other != 0 {
		t.Fatal(err)
	}
	if c.File != "/a" || c.Size != 7 || c.Mode != "a" || !reflect.DeepEqual(c.Hosts, []string{"x", "y"}) || !c.On || c.Rate != 2.5 {
		t.Errorf("%+v", c)
	}
	if shown := fmt.Sprintf("%v %+v %#v", c, c.Secret, c.Secret); strings.Contains(shown, "s3") || string(c.Secret) != "s3" {
		t.Error(shown)
	}
	var fault *Fault
	err := Settings{"n": "7x", "on": "yes"}.Into(&c)
	if !errors.As(err, &fault) || fault.Code != "config.invalid" || len(fault.problems) != 3 {
		t.Fatal(err)
	}
	if text := err.Error(); !strings.Contains(text, "file: is required") || !strings.Contains(text, "n: `7x` is not a whole number") {
		t.Error(text)
	}
	d := definitions(&config{})
	if len(d) != 7 || d[0].typ != "string" || !d[0].required || *d[1].low != 1 || len(d[2].oneOf) != 2 || d[5].typ != "password" {
		t.Errorf("%+v", d)
	}
}

func TestAWrappedFaultIsFoundAndAnyOtherErrorIsFatal(t *testing.T) {
	retry := faultOf(fmt.Errorf("while writing: %w", Retriable("http.status", "answer %d", 503).After(time.Second)))
	if retry.kind != retriable || retry.Message != "answer 503" || retry.after != time.Second {
		t.Errorf("%+v", retry)
	}
	cause := errors.New("disk full")
	if other := faultOf(cause); other.kind != fatal || other.Code != "guest.error" || other.Message != "disk full" || !errors.Is(other, cause) {
		t.Errorf("%+v", other)
	}
	if row := rowFault(Retriable("x", "later")); !row.Retriable || row.Code != "x" {
		t.Errorf("%+v", row)
	}
}

type change struct{}

func (change) Apply(record *Edit) (Flow, error) {
	value := record.Value()
	switch string(value) {
	case "drop":
		return Drop, nil
	case "fail":
		return Keep, &RowFault{Code: "x", Message: "no"}
	}
	record.SetKey(value)
	record.SetValue(value[:2])
	record.Split()
	record.SetValue([]byte("new"))
	record.AddHeader(Header{Name: "two", Value: record.Value()})
	record.DropHeaders("one")
	record.SetTopic("elsewhere")
	return Keep, nil
}

func TestAChangedRecordKeepsTheBytesThatItHas(t *testing.T) {
	in := NewWriter(10, 1000)
	in.Write(Written{Topic: in.Topic("t"), Value: []byte("abcd"), Headers: []Header{{Name: "one", Value: []byte("1")}}})
	in.Write(Written{Value: []byte("drop")})
	in.Write(Written{Value: []byte("fail")})
	batch := in.Batch()
	out := &outcome{batch: batch, topics: []string{"t"}}
	walkAll(out, []step{{transform: change{}}})
	if string(out.appended) != "newtwo" {
		t.Errorf("appended %q", out.appended)
	}
	whole := &Batch{out.topics, out.rows, out.headers, append(bytes.Clone(batch.data), out.appended...), batch.schemas}
	if whole.Len() != 2 || len(out.failed) != 1 || out.failed[0].Row != 2 || out.failed[0].Code != "x" {
		t.Fatalf("%+v %+v", out.rows, out.failed)
	}
	first, second := whole.At(0), whole.At(1)
	if string(first.Key()) != "abcd" || string(first.Value()) != "ab" || first.Topic() != "t" || first.row.key.offset != batch.rows[0].value.offset {
		t.Errorf("%+v", first.row)
	}
	if _, found := first.Header("one"); !found {
		t.Error("the part split off keeps its header")
	}
	if added, _ := second.Header("two"); string(second.Value()) != "new" || second.Topic() != "elsewhere" || string(added) != "new" {
		t.Errorf("%+v", second.row)
	}
	if _, found := second.Header("one"); found {
		t.Error("the header was dropped")
	}
}

func TestAPutMakesNothingForEachRecord(t *testing.T) {
	in := NewWriter(500, 1<<20)
	for range 500 {
		in.Write(Written{Topic: in.Topic("t"), Key: []byte("k"), Value: []byte("some value")})
	}
	batch, sum := in.Batch(), 0
	made := testing.AllocsPerRun(10, func() {
		for _, record := range batch.All() {
			sum += len(record.Value()) + int(record.Value()[0])
		}
	})
	if made > 1 || sum == 0 {
		t.Errorf("%v allocations for 500 records", made)
	}
}

func TestTheBindingsAreMadeFromThisWIT(t *testing.T) {
	files, err := filepath.Glob("wit/*.wit") // sorted
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	digest := sha256.New()
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		digest.Write(text)
	}
	made, err := os.ReadFile("internal/wit/wit.sha256")
	if err != nil || !strings.HasPrefix(string(made), hex.EncodeToString(digest.Sum(nil))) {
		t.Error("internal/wit is not made from this wit/: run bindings.sh", err)
	}
}

func TestALineHasItsAttributes(t *testing.T) {
	var line strings.Builder
	handler := LogHandler{}.WithGroup("g").(LogHandler)
	writeAttr(&line, handler.group, attr("a", "plain"))
	writeAttr(&line, handler.group, attr("b", "with space"))
	if line.String() != ` g.a=plain g.b="with space"` {
		t.Error(line.String())
	}
}

func attr(key, value string) slog.Attr { return slog.String(key, value) }

type inner struct {
	URL string `config:"url" default:"http://a/"`
}

func TestStructsInAConfigStructAreReadAsWell(t *testing.T) {
	var c struct {
		inner
		Size int64 `config:"size"`
	}
	if err := (Settings{"size": "7"}).Into(&c); err != nil || c.URL != "http://a/" || c.Size != 7 {
		t.Error(c, err)
	}
	if keys := definitions(c); len(keys) != 2 || keys[0].key != "url" {
		t.Error(keys)
	}
}

func TestWhatIsOutOfTimeMayGoWellLater(t *testing.T) {
	for _, err := range []error{context.DeadlineExceeded, fmt.Errorf("wrapped: %w", os.ErrDeadlineExceeded), context.Canceled} {
		if fault := faultOf(err); fault.kind != retriable {
			t.Error(err, fault)
		}
	}
	if faultOf(errors.New("other")).kind != fatal || faultOf(Fatal("a", "%w", context.DeadlineExceeded)).kind != fatal {
		t.Error("what is no matter of time is fatal")
	}
}
