// node cut.mjs api.github.com.json requests.json
//
// Cuts GitHub's OpenAPI description down to the requests that noentry makes. See README.md.
import fs from 'node:fs';

const [source, result] = process.argv.slice(2);
const repo = '/repos/{owner}/{repo}';
const kept = {
  '/user': ['get'],
  [repo]: ['get'],
  [`${repo}/issues`]: ['get', 'post'],
  [`${repo}/issues/{issue_number}`]: ['get', 'patch'],
  [`${repo}/issues/{issue_number}/comments`]: ['get', 'post'],
  [`${repo}/issues/comments/{comment_id}`]: ['get', 'patch'],
  [`${repo}/issues/{issue_number}/labels`]: ['get', 'post'],
  [`${repo}/issues/{issue_number}/labels/{name}`]: ['delete'],
  [`${repo}/issues/{issue_number}/assignees`]: ['post'],
  [`${repo}/labels`]: ['get', 'post'],
  [`${repo}/labels/{name}`]: ['get'],
};
const document = JSON.parse(fs.readFileSync(source, 'utf8'));

const paths = {};
for (const [path, methods] of Object.entries(kept)) {
  paths[path] = {};
  for (const method of methods) {
    const { operationId, parameters, requestBody, responses } = document.paths[path][method];
    // Success alone, and nothing about its content: the emulator's answers leave things out, and an
    // error that the description knows would be answered instead of what was wrong.
    const codes = Object.keys(responses).filter((code) => code < '300');
    const answers = Object.fromEntries([...codes, 'default'].map((code) => [code, { description: code }]));
    paths[path][method] = { operationId, parameters, requestBody, responses: answers };
    const body = requestBody?.content?.['application/json']?.schema;
    // GitHub ignores what it does not know. Here a misspelt field is an error.
    if (body?.type === 'object' && body.properties) body.additionalProperties ??= false;
  }
}

// Words for people, and what is GitHub's own extension.
const told = new Set(['description', 'summary', 'example', 'examples', 'externalDocs', 'title', 'deprecated']);
const clean = (value, names = false) => {
  if (Array.isArray(value)) return value.map((one) => clean(one));
  if (value === null || typeof value !== 'object') return value;
  const out = {};
  for (const [key, inner] of Object.entries(value)) {
    // A property may well be named `title`.
    if (!names && (told.has(key) || key.startsWith('x-'))) continue;
    out[key] = clean(inner, key === 'properties' && !names);
  }
  // OpenAPI 3.0's `nullable` is a type in 3.1. Prism's validator refuses a `nullable` without a type
  // and then checks nothing of the body at all.
  if (out.nullable === true) {
    delete out.nullable;
    if (typeof out.type !== 'string') return { anyOf: [out, { type: 'null' }] };
    out.type = [out.type, 'null'];
    if (Array.isArray(out.enum) && !out.enum.includes(null)) out.enum.push(null);
  } else if (!names) {
    delete out.nullable;
  }
  return out;
};

const at = (ref) => ref.slice(2).split('/').reduce((place, key) => place[key], document);
const components = {};
const follow = (value) => {
  if (value === null || typeof value !== 'object') return;
  for (const [key, inner] of Object.entries(value)) {
    if (key !== '$ref' || typeof inner !== 'string') follow(inner);
    else {
      const [section, name] = inner.split('/').slice(2);
      components[section] ??= {};
      if (!(name in components[section])) {
        components[section][name] = null;
        const found = clean(at(inner));
        components[section][name] = found;
        follow(found);
      }
    }
  }
};
const cut = clean(paths, true);
// A response must have a description.
for (const item of Object.values(cut)) {
  for (const operation of Object.values(item)) {
    for (const [code, answer] of Object.entries(operation.responses)) answer.description = code;
  }
}
follow(cut);
const { title, version, license } = document.info;
const out = { openapi: '3.1.0', info: { title, version, license }, paths: cut, components };
fs.writeFileSync(result, `${JSON.stringify(out, null, 1)}\n`);
