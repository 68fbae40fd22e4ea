// Renders templates with Google's dotprompt: JSON lines of {text, variables, partials} in, of messages or an error out.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const { Dotprompt } = createRequire(`${process.argv[2]}/`)("dotprompt");
for await (const line of createInterface({ input: process.stdin })) {
  const { text, variables, partials } = JSON.parse(line);
  try {
    const dotprompt = new Dotprompt({ partials });
    const rendered = await dotprompt.render(text, { input: variables });
    console.log(JSON.stringify(rendered.messages.map(({ role, content }) => [role, content.map((part) => part.text).join("")])));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
