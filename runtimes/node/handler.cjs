'use strict';
// From "dir/file.member" to the function it names, as Lambda resolves it: CommonJS, ES modules (.mjs, package.json type
// module, top-level await), files without extension, packages by name.

const fs = require('node:fs');
const path = require('node:path');
const { createRequire } = require('node:module');
const { Fault } = require('./fault.cjs');

async function load_handler(root, name) {
  const { file, member } = parse_handler(name);
  const module_ = await load_module(root, file);
  const handler = member.split('.').reduce((value, key) => value?.[key], module_);
  if (handler === undefined || handler === null) {
    throw new Fault('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  }
  if (typeof handler !== 'function') throw new Fault('Runtime.HandlerNotFound', `${name} is not a function`);
  if (handler.length > 2 && major_asked() >= 24) {
    throw new Fault('Runtime.CallbackHandlerDeprecated',
      'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. ' +
      'You need to modify this function to use a supported handler signature to use Node.js 24 or later. ' +
      'For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.');
  }
  return handler;
}

/** Callback style ends with nodejs22.x; a later name gives the handler its event and context only. */
function takes_callback() {
  return !(major_asked() >= 24);
}

function major_asked() {
  return Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV ?? '')?.[1] ?? 22);
}

function parse_handler(name) {
  if (name === undefined || name.includes('..')) {
    throw new Fault('Runtime.MalformedHandlerName',
      `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  }
  const base = path.basename(name);
  const dot = base.indexOf('.');
  if (dot <= 0 || dot === base.length - 1) throw new Fault('Runtime.MalformedHandlerName', 'Bad handler');
  const directory = name.slice(0, name.length - base.length);
  return { file: directory + base.slice(0, dot), member: base.slice(dot + 1) };
}

async function load_module(root, file) {
  const stem = path.resolve(root, file);
  try {
    const found = ['', '.js', '.mjs', '.cjs'].map((ending) => stem + ending).find(is_file);
    if (found === undefined) return createRequire(path.join(root, 'index.js'))(file);
    if (found.endsWith('.mjs') || (found.endsWith('.js') && is_module_package(path.dirname(found)))) {
      return await load_es_module(found);
    }
    return await require_or_import(found);
  } catch (error) {
    throw explain(error, stem, file);
  }
}

function is_file(name) {
  return fs.statSync(name, { throwIfNoEntry: false })?.isFile() ?? false;
}

async function require_or_import(file) {
  try {
    return createRequire(file)(file);
  } catch (error) {
    if (error?.code !== 'ERR_REQUIRE_ESM' && error?.code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
    return load_es_module(file);
  }
}

async function load_es_module(file) {
  resolve_from_node_path();
  return import(require('node:url').pathToFileURL(file).href);
}

/** "type" of the nearest package.json. */
function is_module_package(directory) {
  for (let at = directory; ; at = path.dirname(at)) {
    const file = path.join(at, 'package.json');
    if (is_file(file)) {
      try {
        return JSON.parse(fs.readFileSync(file, 'utf8')).type === 'module';
      } catch {
        return false;
      }
    }
    if (path.basename(at) === 'node_modules' || at === path.dirname(at)) return false;
  }
}

/** Node ignores NODE_PATH for ES modules, Lambda's does not: layers and the SDK must be found by `import` too. */
function resolve_from_node_path() {
  const { registerHooks } = require('node:module');
  if (!registerHooks) return; // Node before 22.15
  const roots = (process.env.NODE_PATH ?? '').split(':').filter((root) => path.basename(root) === 'node_modules');
  const { pathToFileURL } = require('node:url');
  const parents = roots.map((root) => pathToFileURL(path.join(path.dirname(root), 'any.mjs')).href);
  registerHooks({
    resolve(specifier, context, next) {
      try {
        return next(specifier, context);
      } catch (error) {
        if (error?.code !== 'ERR_MODULE_NOT_FOUND' || /^[./]|^[a-z]+:/.test(specifier)) throw error;
        for (const parentURL of parents) {
          try {
            return next(specifier, { ...context, parentURL });
          } catch {
            // the next root may have it
          }
        }
        throw error;
      }
    },
  });
}

function explain(error, stem, file) {
  if (error instanceof SyntaxError) return new_fault('Runtime.UserCodeSyntaxError', error);
  const code = error?.code;
  if (code === 'ERR_DLOPEN_FAILED') return foreign_binary(error);
  // An ES module's import that finds nothing (ERR_MODULE_NOT_FOUND) is reported as it is.
  if (code === 'MODULE_NOT_FOUND') {
    if (error.message.startsWith(`Cannot find module '${file}'`)) {
      const fault = new Fault('Runtime.ImportModuleError',
        `Error: Cannot find module '${path.basename(stem)}'\nRequire stack:\n- ${path.join(__dirname, 'bootstrap.cjs')}`);
      return fault;
    }
    return new_fault('Runtime.ImportModuleError', error);
  }
  return error;
}

function new_fault(type, error) {
  const fault = new Fault(type, String(error));
  fault.stack = `${type}: ${error.stack ?? error}`;
  return fault;
}

/** A native module built for another Node, operating system or processor. */
function foreign_binary(error) {
  const file = /(?:The module '|^)(\/[^':\n]*\.node)/.exec(error.message)?.[1] ?? 'A native module';
  const fault = new Fault('Runtime.ImportModuleError',
    `Error: ${file} was built for another interpreter or platform; this function runs on Node.js ${process.version} ` +
    `(linux-${process.arch}, NODE_MODULE_VERSION ${process.versions.modules}). Install or build the package's ` +
    `dependencies for it. (${error.message.replaceAll('\n', ' ')})`);
  return fault;
}

module.exports = { load_handler, takes_callback };
