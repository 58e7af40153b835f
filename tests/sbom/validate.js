// Holds bills of material against CycloneDX's JSON schema, strictly: node validate.js FILE...

import { readFileSync } from "node:fs";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";

const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot5);

for (const file of process.argv.slice(2)) {
  const bill = readFileSync(file, "utf8");
  if (JSON.parse(bill).specVersion !== Spec.Version.v1dot5) throw new Error(`${file} is not of version 1.5`);
  const errors = await validator.validate(bill);
  if (errors !== null) {
    console.error(file, errors);
    process.exitCode = 1;
  }
}
