// Reads topics of Pledgewire with franz-go and prints a line for each event. What they promise: contracts/README.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

type event struct {
	Seq        int
	Status     string
	Commitment struct {
		ID, Language string
		Title        map[string]string
	}
}

func main() {
	os.Setenv("SSL_CERT_FILE", os.Getenv("KAFKA_SSL_CAFILE")) // whom Go trusts
	auth := scram.Auth{User: os.Getenv("KAFKA_SASL_USERNAME"), Pass: os.Getenv("KAFKA_SASL_PASSWORD")}
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(os.Getenv("KAFKA_BOOTSTRAP_SERVERS"), ",")...),
		kgo.DialTLS(), kgo.SASL(auth.AsSha512Mechanism()), kgo.ConsumerGroup(auth.User+".go"), // begins with your code
		kgo.ConsumeTopics(strings.Split(os.Getenv("TOPICS"), ",")...), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())) // or a new group misses what came before it
	if err != nil {
		log.Fatal(err)
	}
	ended, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	last := map[string]int{} // by topic and commitment; keep it in the table that your work goes into
	for err == nil {
		fetches := client.PollFetches(ended)
		fetches.EachRecord(func(record *kgo.Record) {
			var e event
			if err := json.Unmarshal(record.Value, &e); err != nil {
				log.Fatal(err)
			}
			place := record.Topic + " " + e.Commitment.ID
			if seq, known := last[place]; known && e.Seq <= seq {
				return // a repeat: events come at least once
			} else if known && e.Seq > seq+1 {
				fmt.Println("LOST", place, "between", seq, "and", e.Seq) // tell the operator
			}
			last[place] = e.Seq
			fmt.Printf("%s #%d %s %s\n", place, e.Seq, e.Commitment.Title[e.Commitment.Language], e.Status)
		})
		err = errors.Join(fetches.Err(), client.CommitUncommittedOffsets(ended)) // what is not committed comes again
	}
	client.Close() // leaves the group at once, not after 45 seconds of silence
	log.Fatal(err)
}
