// Splits the library's generated protobuf classes: each `X.Y = (function() {…})()` becomes a declaration of a lazy member
// (src/child/lean/lazy-members.ts), and its source a piece of a file that is read when the class is first used; so are
// the large methods of a class, since some classes are touched for an enum inside them only. The generated code itself
// stays as it is.
import { parse } from 'acorn';
import { transformSync } from 'esbuild';
import { UnexpectedShape } from './expected-shape.mjs';

/** What the file declares beside the classes; classes use these and nothing else. */
const expectedDeclarations = ['$Reader', '$Writer', '$root', '$util', 'longToNumber', 'longToString'];
const fewestClasses = 600;
/** They refer to their class by its full name, never to what their class declares. */
const largeMethods = new Set(['encode', 'decode', 'fromObject', 'toObject']);
const minified = {
  minifyWhitespace: true,
  minifySyntax: true,
  charset: 'ascii',
  legalComments: 'none',
  target: 'node24',
};

/**
 * Answers the rewritten module and the pieces that it reads. `runtime` is the module of openLazyMembers, `pieces` a
 * JavaScript expression for the path of the file of pieces. Throws UnexpectedShape.
 */
export function splitMessages({ source, file, runtime, pieces }) {
  const program = parse(source, { ecmaVersion: 2024, sourceType: 'module' });
  checkDeclarations(program, file);
  const container = containerOf(program, file);
  const chunks = [];
  let offset = 0;
  let count = 0;

  /** The text of a node, with the classes that are declared directly in `statements` taken out. */
  const rewrite = (node, statements) => {
    let text = '';
    let position = node.start;
    for (const statement of statements) {
      const found = classOf(statement) ?? methodOf(statement);
      if (found === null) continue;
      const { callee } = found.value;
      if (callee !== undefined) count += 1;
      const body = rewrite(found.value, callee?.body.body ?? []);
      const { code } = transformSync(`$value=${body};`, minified);
      const bytes = Buffer.from(code.trim().replace(/;$/, ''), 'latin1');
      chunks.push(bytes);
      text += source.slice(position, statement.start);
      text += `$lazy(${found.owner}, ${JSON.stringify(found.name)}, ${offset}, ${bytes.length});`;
      offset += bytes.length;
      position = statement.end;
    }
    return text + source.slice(position, node.end);
  };

  const rewritten = rewrite(container, container.body.body);
  const written = source.match(/^\s*[A-Za-z]\w*\.\w+ = \(/gm)?.length ?? 0;
  if (count !== written || count < fewestClasses) {
    throw new UnexpectedShape(file, `all its classes should be found, ${count} of ${written} were`);
  }
  const declaration = source.lastIndexOf('export const proto', container.start);
  const scope = ['$protobuf', ...expectedDeclarations].join(', ');
  const code = [
    `import { openLazyMembers } from ${JSON.stringify(runtime)};\n`,
    source.slice(0, declaration),
    `const $lazy = openLazyMembers(${pieces}, { ${scope} });\n`,
    source.slice(declaration, container.start),
    rewritten,
    source.slice(container.end),
  ].join('');
  return { code, pieces: Buffer.concat(chunks), count };
}

function checkDeclarations(program, file) {
  const names = program.body.flatMap((node) => {
    if (node.type === 'VariableDeclaration') return node.declarations.map(({ id }) => id.name);
    return node.type === 'FunctionDeclaration' ? [node.id.name] : [];
  });
  if (names.toSorted().join() !== expectedDeclarations.join()) {
    throw new UnexpectedShape(file, `it should declare ${expectedDeclarations.join(', ')}, not ${names.join(', ')}`);
  }
  const imports = program.body.filter(({ type }) => type === 'ImportDeclaration');
  if (imports.length !== 1 || imports[0].specifiers[0]?.local.name !== '$protobuf') {
    throw new UnexpectedShape(file, 'it should import $protobuf and nothing else');
  }
}

/** The function of `export const proto = $root.proto = (() => {…})()`. */
function containerOf(program, file) {
  const exported = program.body.find(({ type }) => type === 'ExportNamedDeclaration');
  const declarator = exported?.declaration?.declarations?.[0];
  const call = declarator?.init?.right;
  if (declarator?.id.name !== 'proto' || call?.callee?.type !== 'ArrowFunctionExpression') {
    throw new UnexpectedShape(file, 'it should export "const proto = $root.proto = (() => {…})()"');
  }
  return call.callee;
}

/** Reads `Owner.name = (function() {…})()`; null for every other statement. */
function classOf(statement) {
  const { expression } = statement;
  if (statement.type !== 'ExpressionStatement' || expression.type !== 'AssignmentExpression') return null;
  const { left, right } = expression;
  const isMember = left.type === 'MemberExpression' && !left.computed && left.object.type === 'Identifier';
  const isCalled = right.type === 'CallExpression' && right.callee.type === 'FunctionExpression';
  if (!isMember || !isCalled || right.arguments.length > 0) return null;
  return { owner: left.object.name, name: left.property.name, value: right };
}

/** Reads `Class.encode = function encode(…) {…}` and the like; null for every other statement. */
function methodOf({ type, expression }) {
  if (type !== 'ExpressionStatement' || expression.type !== 'AssignmentExpression') return null;
  const { left, right } = expression;
  const isStatic = left.type === 'MemberExpression' && left.object.type === 'Identifier';
  if (!isStatic || right.type !== 'FunctionExpression' || !largeMethods.has(left.property.name)) return null;
  return { owner: left.object.name, name: left.property.name, value: right };
}
