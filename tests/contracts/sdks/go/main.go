// Reads Kafka records as JSON, one a line, by the CloudEvents SDK for Go, and writes what it understood, one a line.
//
// The SDK's own Kafka transport brings a Kafka client with it, which takes minutes to compile; what a record's headers
// and value mean to it is said here, as the Kafka protocol binding of CloudEvents 1.0.2 has it (3.2, binary mode).
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"log"
	"os"
	"strings"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/binding/spec"
)

type record struct {
	Key     string            `json:"key"`
	Headers map[string]string `json:"headers"`
	Value   json.RawMessage   `json:"value"`
}

var specs = spec.WithPrefix("ce_")

func (read record) version() spec.Version { return specs.Version(read.Headers["ce_specversion"]) }

func (read record) ReadEncoding() binding.Encoding { return binding.EncodingBinary }

func (read record) ReadStructured(context.Context, binding.StructuredWriter) error {
	return binding.ErrNotStructured
}

func (read record) ReadBinary(_ context.Context, writer binding.BinaryWriter) error {
	version := read.version()
	for name, content := range read.Headers {
		var err error
		if attribute := version.Attribute(name); attribute != nil {
			err = writer.SetAttribute(attribute, content)
		} else if name == "content-type" {
			err = writer.SetAttribute(version.AttributeFromKind(spec.DataContentType), content)
		} else if strings.HasPrefix(name, "ce_") {
			err = writer.SetExtension(strings.TrimPrefix(name, "ce_"), content)
		}
		if err != nil {
			return err
		}
	}
	return writer.SetData(bytes.NewReader(read.Value))
}

func (read record) GetAttribute(kind spec.Kind) (spec.Attribute, interface{}) {
	attribute := read.version().AttributeFromKind(kind)
	return attribute, read.Headers[attribute.PrefixedName()]
}

func (read record) GetExtension(name string) interface{} { return read.Headers["ce_"+name] }

func (read record) Finish(error) error { return nil }

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var read record
		if err := json.Unmarshal(lines.Bytes(), &read); err != nil {
			log.Fatal(err)
		}
		event, err := binding.ToEvent(context.Background(), read)
		if err == nil {
			err = event.Validate()
		}
		answer := map[string]any{"fault": ""}
		if err != nil {
			answer["fault"] = err.Error()
		} else {
			answer["id"], answer["type"], answer["source"] = event.ID(), event.Type(), event.Source()
			answer["subject"], answer["dataschema"] = event.Subject(), event.DataSchema()
			answer["data"] = json.RawMessage(event.Data())
		}
		if err := answers.Encode(answer); err != nil {
			log.Fatal(err)
		}
	}
}
