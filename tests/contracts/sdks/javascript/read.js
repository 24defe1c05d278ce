// Reads Kafka records as JSON, one a line, by the CloudEvents SDK for JavaScript, and writes what it understood.
import { createInterface } from "node:readline";
import { Kafka } from "cloudevents";

for await (const line of createInterface({ input: process.stdin })) {
  const record = JSON.parse(line);
  let answer;
  try {
    const message = { key: record.key, headers: record.headers, value: JSON.stringify(record.value), timestamp: "0" };
    const event = Kafka.toEvent({ ...message, body: message.value });
    event.validate();
    const { id, type, source, subject, dataschema } = event;
    const data = typeof event.data === "string" ? JSON.parse(event.data) : event.data;
    answer = { fault: "", id, type, source, subject, dataschema, data };
  } catch (error) {
    answer = { fault: String(error) };
  }
  console.log(JSON.stringify(answer));
}
