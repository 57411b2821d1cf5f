'use strict';
// The way to the AWS APIs for code that does not know AWS_ENDPOINT_URL: the SDK v2 (bundled, or found by runtimes up to
// nodejs16.x) is told of it, and AWS's host names, those with a bucket in front included, resolve to the same address.

const Module = require('node:module');
const dns = require('node:dns');

function teach_old_sdk() {
  const endpoint = process.env.AWS_ENDPOINT_URL;
  if (!endpoint || process.env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true') return;
  const load = Module._load;
  const taught = new WeakSet();
  Module._load = function (request, ...rest) {
    const loaded = load.call(this, request, ...rest);
    if (!/^aws-sdk($|\/global|\/clients\/)/.test(request)) return loaded;
    // Each entry of the package shares one configuration; a client's own settings still win.
    const config = request.startsWith('aws-sdk/clients/')
      ? load.call(this, 'aws-sdk/global', ...rest).config
      : loaded.config;
    if (config && !taught.has(config)) {
      taught.add(config);
      config.update({ endpoint, s3ForcePathStyle: true });
    }
    return loaded;
  };
}

/** Only where the endpoint is a loopback address, which is where the sandbox's own way out listens. */
function resolve_aws_names() {
  const address = /^http:\/\/(127\.[0-9.]+)(:|\/|$)/.exec(process.env.AWS_ENDPOINT_URL ?? '')?.[1];
  if (!address) return;
  const is_aws = (name) => /\.amazonaws\.com\.?$/i.test(name);
  const lookup = dns.lookup;
  dns.lookup = function (name, options, callback) {
    return is_aws(String(name)) ? lookup(address, options, callback) : lookup(name, options, callback);
  };
  const lookup_promise = dns.promises.lookup;
  dns.promises.lookup = (name, options) => lookup_promise(is_aws(String(name)) ? address : name, options);
}

module.exports = { teach_old_sdk, resolve_aws_names };
