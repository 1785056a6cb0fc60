// Holds what head office says to Shopify against the schema that Shopify publishes.
//
// Checks that every operation is valid in each supported version, uses nothing deprecated, and carries `@idempotent` where
// Shopify's descriptions demand it. Also makes the small schema which our stand-in for Shopify answers by (`--write`), and
// checks that the kept one is still what comes out. Knows nothing of how either side is programmed.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

import {
  GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema, NoDeprecatedCustomRule, TypeInfo, buildClientSchema,
  getNamedType, isEnumType, isInputObjectType, isObjectType, isScalarType, parse, printSchema, specifiedRules, typeFromAST, validate,
  visit, visitWithTypeInfo,
} from "graphql";

/** The one version head office asks for, and the later ones it should not be surprised by. */
const SPOKEN = "2026-10";
const PUBLISHED = {
  package: "@shopify/dev-mcp",
  version: "1.16.0",
  integrity: "sha512-tqgRnK7sQhjew+htxtleTH23nXB5fZcsrhWgEkomsorGXvLOB2mh2upwZm8uzuTDNTZnqtLMe64yIwh6s2awtw==",
};
/** In the description of a mutation that is refused without a key; the schema itself cannot say it. */
const KEY_IS_REQUIRED = /idempotency key is required and must be provided/u;
/** Parts of inputs which are sent inside variables. What is not named here, the stand-in refuses. */
const INPUTS = new Set([
  "InventoryQuantityInput", "InventoryChangeInput", "MetafieldCapabilityCreateInput", "MetafieldCapabilityUniqueValuesInput",
  "MetafieldInput", "MoneyBagInput", "MoneyInput", "OrderCreateCustomAttributeInput", "OrderCreateFulfillmentInput",
  "OrderCreateLineItemInput", "OrderCreateOrderTransactionInput", "OrderCreateTaxLineInput", "OrderTransactionInput",
  "RefundLineItemInput", "UniqueMetafieldValueInput",
]);

const top = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const operationsDir = join(top, "hq-aggregator", "src", "shopify", "operations");
const keptSchema = join(top, "tests", "src", "shopify", "schema.graphql");

/** The package is fetched without what it depends on (hundreds of others), into the folder for things that can be made again. */
function fetchPublished() {
  const cache = join(top, "target", "shopify-schema");
  const file = join(cache, `${PUBLISHED.version}.tgz`);
  if (!existsSync(file)) {
    mkdirSync(cache, { recursive: true });
    const draft = mkdtempSync(join(cache, "fetch-"));
    try {
      const asked = `${PUBLISHED.package}@${PUBLISHED.version}`;
      const printed = execFileSync("npm", ["pack", asked, "--silent", "--pack-destination", draft], { encoding: "utf8" });
      renameSync(join(draft, printed.trim().split("\n").at(-1)), file);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  }
  const found = `sha512-${createHash("sha512").update(readFileSync(file)).digest("base64")}`;
  if (found !== PUBLISHED.integrity) {
    throw new Error(`${relative(top, file)} is not the package it should be; delete it and try again`);
  }
  return file;
}

function published(file, version) {
  const path = `package/dist/data/admin_${version}.json.gz`;
  const packed = execFileSync("tar", ["-xzOf", file, path], { maxBuffer: 256 << 20 });
  return buildClientSchema(JSON.parse(gunzipSync(packed).toString("utf8")).data);
}

function readOperations() {
  const names = readdirSync(operationsDir).filter((name) => name.endsWith(".graphql")).sort();
  return names.map((name) => ({ name, document: parse(readFileSync(join(operationsDir, name), "utf8")) }));
}

/** What is wrong with an operation, in sentences. */
function complaints(schema, version, { name, document }) {
  const found = validate(schema, document, [...specifiedRules, NoDeprecatedCustomRule]).map((error) => error.message);
  const info = new TypeInfo(schema);
  visit(document, visitWithTypeInfo(info, {
    Field(field) {
      const definition = info.getFieldDef();
      const isMutation = info.getParentType() === schema.getMutationType();
      const hasKey = field.directives?.some((directive) => directive.name.value === "idempotent");
      if (isMutation && KEY_IS_REQUIRED.test(definition?.description ?? "") && !hasKey) {
        found.push(`${field.name.value} must carry @idempotent(key:)`);
      }
    },
  }));
  return found.map((message) => `${name} in ${version}: ${message}`);
}

/** The part of the published schema our operations touch: without descriptions, without what is deprecated. */
function smallSchema(schema, operations) {
  const fields = new Map();
  const inputs = new Set();
  const note = (type, field, args) => {
    const known = fields.get(type) ?? new Map();
    known.set(field, new Set([...(known.get(field) ?? []), ...args]));
    fields.set(type, known);
  };
  for (const { document } of operations) {
    const info = new TypeInfo(schema);
    visit(document, visitWithTypeInfo(info, {
      Field(field) {
        note(info.getParentType().name, field.name.value, (field.arguments ?? []).map((argument) => argument.name.value));
      },
      VariableDefinition(variable) {
        inputs.add(getNamedType(typeFromAST(schema, variable.type)).name);
      },
    }));
  }
  const made = new Map();
  const rewrap = (type) => {
    if (type.ofType) return new type.constructor(rewrap(type.ofType));
    return remake(type);
  };
  const keepsInput = (type) => !isInputObjectType(type) || INPUTS.has(type.name) || inputs.has(type.name);
  function remake(type) {
    if (isScalarType(type)) return type;
    const before = made.get(type.name);
    if (before) return before;
    const { name } = type;
    let small;
    if (isEnumType(type)) {
      const values = type.getValues().filter((value) => !value.deprecationReason).map((value) => [value.name, {}]);
      small = new GraphQLEnumType({ name, values: Object.fromEntries(values) });
    } else if (isInputObjectType(type)) {
      small = new GraphQLInputObjectType({ name, isOneOf: type.isOneOf, fields: () => inputFields(type) });
    } else if (isObjectType(type)) {
      small = new GraphQLObjectType({ name, fields: () => outputFields(type) });
    } else {
      throw new Error(`${name} is neither an object, an input, an enum nor a scalar; teach this script about it`);
    }
    made.set(name, small);
    return small;
  }
  function inputFields(type) {
    const kept = Object.values(type.getFields()).filter((field) => !field.deprecationReason && keepsInput(getNamedType(field.type)));
    return Object.fromEntries(kept.map((field) => [field.name, { type: rewrap(field.type), defaultValue: field.defaultValue }]));
  }
  function outputFields(type) {
    const used = fields.get(type.name) ?? new Map();
    const kept = Object.values(type.getFields()).filter((field) => used.has(field.name));
    return Object.fromEntries(kept.map((field) => {
      const args = field.args.filter((argument) => used.get(field.name).has(argument.name));
      const remade = args.map((argument) => [argument.name, { type: rewrap(argument.type), defaultValue: argument.defaultValue }]);
      return [field.name, { type: rewrap(field.type), args: Object.fromEntries(remade) }];
    }));
  }
  const small = new GraphQLSchema({
    query: remake(schema.getQueryType()),
    mutation: remake(schema.getMutationType()),
    directives: schema.getDirectives().filter((directive) => directive.name === "idempotent"),
  });
  // Every GraphQL knows `@oneOf`, says the specification; not every reader of schemas does yet.
  const oneOf = "directive @oneOf on INPUT_OBJECT\n\n";
  const text = oneOf + printSchema(small).replaceAll(/^ *"""[\s\S]*?"""\n/gmu, "");
  const header = [
    `# The part of Shopify's Admin API ${SPOKEN} which head office uses, and nothing besides. Made from the published schema by`,
    "# `node tests/web/shopify-schema.mjs --write`; not to be edited by hand.",
  ];
  return `${header.join("\n")}\n\n${text.trim()}\n`;
}

function main() {
  const file = fetchPublished();
  const operations = readOperations();
  const schema = published(file, SPOKEN);
  const found = operations.flatMap((operation) => complaints(schema, SPOKEN, operation));
  if (operations.length === 0) found.push(`there are no operations in ${relative(top, operationsDir)}`);
  if (found.length === 0) {
    const small = smallSchema(schema, operations);
    if (process.argv.includes("--write")) {
      writeFileSync(keptSchema, small);
    } else if (!existsSync(keptSchema) || readFileSync(keptSchema, "utf8") !== small) {
      found.push(`${relative(top, keptSchema)} is not what the published schema gives; make it with --write`);
    }
  }
  for (const complaint of found) process.stderr.write(`${complaint}\n`);
  process.stdout.write(`${operations.length} operations held against Shopify's ${SPOKEN}: ${found.length} complaints\n`);
  process.exitCode = found.length === 0 ? 0 : 1;
}

main();
