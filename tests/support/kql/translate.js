// Reads {fields, queries} on standard input, writes for each query {dsl, fields} or {error}.
const { fromKueryExpression, toElasticsearchQuery } = require('@cybernetex/kbn-es-query');

// A function's first argument is its field, as a name or with wildcards; free text has none.
const WITH_FIELD = new Set(['is', 'range', 'exists']);
const WILDCARD = '@kuery-wildcard@';

function fieldsOf(node) {
  if (node.type !== 'function') return [];
  if (!WITH_FIELD.has(node.function)) return node.arguments.flatMap(fieldsOf);
  const name = node.arguments[0].value;
  return name === null || name === undefined ? [] : [String(name).split(WILDCARD).join('*')];
}

function translated(text, pattern) {
  try {
    const tree = fromKueryExpression(text);
    return { dsl: toElasticsearchQuery(tree, pattern, { allowLeadingWildcards: true }), fields: fieldsOf(tree) };
  } catch (error) {
    return { error: String(error.message) };
  }
}

const { fields, queries } = JSON.parse(require('fs').readFileSync(0, 'utf-8'));
const pattern = { title: 'conntrail', fields };
process.stdout.write(JSON.stringify(queries.map((text) => translated(text, pattern))));
