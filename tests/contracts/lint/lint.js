// Lints OpenAPI documents by the rules that Redocly recommends, and writes each fault as JSON, one a line.
import { createConfig, lint } from "@redocly/openapi-core";

const config = await createConfig({
  extends: ["recommended"],
  rules: {
    // Where a service answers is its operator's to say; a document names no place.
    "no-empty-servers": "off",
  },
});
for (const ref of process.argv.slice(2)) {
  for (const fault of await lint({ ref, config })) {
    const at = fault.location[0]?.pointer;
    console.log(JSON.stringify({ rule: fault.ruleId, severity: fault.severity, message: fault.message, at }));
  }
}
