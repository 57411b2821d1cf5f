'use strict';
// The short way to the AWS APIs for an SDK that does not know AWS_ENDPOINT_URL: the SDK v2 (bundled, or found by runtimes
// up to nodejs16.x) is told of it. What is not told finds AWS's host names in the sandbox, and us behind them, over TLS.

const Module = require('node:module');

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

module.exports = { teach_old_sdk };
