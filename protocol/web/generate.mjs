// Makes the TypeScript of src/gen from protocol/proto. `--check` only compares: it fails when a .proto file changed and nobody ran
// `npm run generate`. Works offline: buf and its plugin are packages of the lock.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";

const here = import.meta.dirname;
const proto = join(here, "..", "proto");
const kept = join(here, "src", "gen");
const checking = process.argv.includes("--check");
const out = checking ? mkdtempSync(join(tmpdir(), "backroom-gen-")) : kept;

const bins = [join(here, "node_modules", ".bin"), join(here, "..", "..", "node_modules", ".bin")].filter(existsSync);
const template = {
  version: "v2",
  clean: true,
  plugins: [{ local: "protoc-gen-es", out, opt: ["target=ts", "import_extension=ts"] }],
};

function files(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

try {
  execFileSync("buf", ["generate", "--template", JSON.stringify(template), proto], {
    stdio: "inherit",
    env: { ...process.env, PATH: [...bins, process.env.PATH].join(delimiter) },
  });
  if (checking) {
    const names = new Set([...files(kept), ...files(out)]);
    const differ = [...names].filter((name) => {
      const [a, b] = [join(kept, name), join(out, name)];
      return !existsSync(a) || !existsSync(b) || !readFileSync(a).equals(readFileSync(b));
    });
    if (differ.length > 0) {
      console.error(`the generated clients are older than the .proto files (${differ.join(", ")}); run: npm run generate`);
      process.exitCode = 1;
    }
  }
} finally {
  if (checking) rmSync(out, { recursive: true });
}
