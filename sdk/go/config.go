package lockgate

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Password is a setting that is masked wherever it is shown, by fmt and slog too.
type Password string

func (Password) String() string { return "[hidden]" }

// GoString masks as well.
func (Password) GoString() string { return "[hidden]" }

// Class is a setting that names a class.
type Class string

// definition is one config key, as the tags of a struct's field say.
type definition struct {
	key, typ                        string
	required, nonEmpty              bool
	defaultValue                    *string
	oneOf                           []string
	low, high                       *float64
	importance, doc, group, display string
	width                           string
	dependents                      []string
	field                           []int
}

// definitions reads the tags of a config struct, and of structs embedded in it. A mistake in them is the author's: it panics, at the first describe.
//
//	File  string   `config:"file,required" doc:"Absolute path of the file."`
//	Mode  string   `config:"mode" default:"a" one-of:"a,b" importance:"low" group:"Writing" display:"How to write" width:"short"`
//	Size  int64    `config:"size" default:"10" min:"1" max:"500" dependents:"mode"`
//	Hosts []string `config:"hosts,non-empty"`
func definitions(config any) []definition {
	if config == nil {
		return nil
	}
	typ := reflect.TypeOf(config)
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	var all []definition
	for _, field := range reflect.VisibleFields(typ) {
		tag, found := field.Tag.Lookup("config")
		if !found {
			continue
		}
		words := strings.Split(tag, ",")
		d := definition{key: words[0], typ: typeOf(field), field: field.Index, doc: field.Tag.Get("doc"), group: field.Tag.Get("group"),
			display: field.Tag.Get("display"), width: field.Tag.Get("width"), importance: field.Tag.Get("importance"),
			low: bound(field, "min"), high: bound(field, "max"), oneOf: list(field.Tag.Get("one-of")),
			dependents: list(field.Tag.Get("dependents"))}
		for _, word := range words[1:] {
			switch word {
			case "required":
				d.required = true
			case "non-empty":
				d.nonEmpty = true
			default:
				panic(fmt.Sprintf("config field %s: unknown word `%s` in its tag", field.Name, word))
			}
		}
		if value, found := field.Tag.Lookup("default"); found {
			d.defaultValue = &value
		}
		all = append(all, d)
	}
	return all
}

func typeOf(field reflect.StructField) string {
	switch field.Type {
	case reflect.TypeFor[Password]():
		return "password"
	case reflect.TypeFor[Class]():
		return "class"
	case reflect.TypeFor[[]string]():
		return "list"
	}
	switch field.Type.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Int16:
		return "short"
	case reflect.Int32:
		return "int"
	case reflect.Int, reflect.Int64:
		return "long"
	case reflect.Float64:
		return "double"
	}
	panic(fmt.Sprintf("config field %s: a setting cannot be of type %s", field.Name, field.Type))
}

func bound(field reflect.StructField, tag string) *float64 {
	text, found := field.Tag.Lookup(tag)
	if !found {
		return nil
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(fmt.Sprintf("config field %s: `%s` is not a number", field.Name, text))
	}
	return &number
}

func list(text string) []string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	entries := strings.Split(text, ",")
	for at := range entries {
		entries[at] = strings.TrimSpace(entries[at])
	}
	return entries
}

// Settings are those of a connector, task or step, as the user wrote them.
type Settings map[string]string

// Into fills a config struct: what the user wrote, or the default. All problems come at once, as one Fault.
func (s Settings) Into(config any) error {
	target := reflect.ValueOf(config)
	if target.Kind() != reflect.Pointer || target.Elem().Kind() != reflect.Struct {
		return Fatal("guest.config", "Into needs a pointer to a struct, not %T", config)
	}
	var problems []Problem
	for _, d := range definitions(config) {
		text, found := s[d.key]
		if !found && d.defaultValue != nil {
			text, found = *d.defaultValue, true
		}
		if !found {
			if d.required {
				problems = append(problems, Problem{d.key, "is required"})
			}
			continue
		}
		if problem := set(target.Elem().FieldByIndex(d.field), d.typ, text); problem != "" {
			problems = append(problems, Problem{d.key, problem})
		}
	}
	if problems != nil {
		return BadConfig(problems...)
	}
	return nil
}

// set parses a text into a field; it answers with what is wrong, or "".
func set(field reflect.Value, typ, text string) string {
	trimmed := strings.TrimSpace(text)
	switch typ {
	case "boolean":
		switch strings.ToLower(trimmed) {
		case "true", "false":
			field.SetBool(strings.EqualFold(trimmed, "true"))
			return ""
		}
		return fmt.Sprintf("`%s` is neither true nor false", text)
	case "short", "int", "long":
		number, err := strconv.ParseInt(trimmed, 10, field.Type().Bits())
		if err != nil {
			return fmt.Sprintf("`%s` is not a whole number of %d bits", text, field.Type().Bits())
		}
		field.SetInt(number)
	case "double":
		number, err := strconv.ParseFloat(trimmed, 64)
		if err != nil {
			return fmt.Sprintf("`%s` is not a number", text)
		}
		field.SetFloat(number)
	case "list":
		field.Set(reflect.ValueOf(list(text)))
	default:
		field.SetString(text)
	}
	return ""
}
