import type { Strategy } from '@kubernel/sdk';
import type { Decoded } from '@kubernel/sdk/api';
import { keepSpec, validateObjectMetaUpdate } from '@kubernel/sdk/api';
import { checkAcceptedNames, checkDefinition, checkDefinitionUpdate, checkMetadata } from './validation/definition.ts';
import { unknownFormats } from './validation/schema.ts';

/** The version that objects are stored in is, from then on, one that there may be objects of. */
function rememberStorage({ spec, status }: Decoded): void {
  for (const { name, storage } of (spec?.versions ?? []) as Decoded[]) {
    if (!storage) continue;
    status.storedVersions ??= [];
    if (!status.storedVersions.includes(name)) status.storedVersions.push(name);
    return;
  }
}

function markTerminating(object: Decoded): void {
  object.status ??= {};
  const others = ((object.status.conditions ?? []) as Decoded[]).filter(({ type }) => type !== 'Terminating');
  const lastTransitionTime = object.metadata.deletionTimestamp;
  const message = 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon';
  object.status.conditions = [
    ...others,
    { type: 'Terminating', status: 'True', lastTransitionTime, reason: 'InstanceDeletionPending', message },
  ];
}

const definition: Strategy = {
  generation: true,
  unconditionalUpdate: false,
  // Upstream's cleanup: the API server empties a definition before it goes.
  deletionFinalizers: ['customresourcecleanup.apiextensions.k8s.io'],
  beginDeletion: markTerminating,
  resetFields: ['status'],
  prepareForCreate(object) {
    object.status = {};
    rememberStorage(object);
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone((old as Decoded).status ?? {});
    rememberStorage(object);
  },
  validate(object, errors) {
    checkMetadata(object, errors);
    checkDefinition(object, errors);
  },
  warnings(object, old) {
    const schemas = (of: Decoded | undefined): Decoded[] =>
      (of?.spec?.versions ?? []).map(({ schema }: Decoded) => schema?.openAPIV3Schema ?? {});
    const known = new Set(schemas(old).flatMap(unknownFormats));
    const found = [...new Set(schemas(object).flatMap(unknownFormats))];
    return found.filter((format) => !known.has(format)).map((format) => `unrecognized format ${JSON.stringify(format)}`);
  },
  validateUpdate(object, old, errors) {
    validateObjectMetaUpdate(object.metadata, old.metadata, errors);
    checkDefinitionUpdate(object, old, errors);
  },
};

const status: Strategy = {
  unconditionalUpdate: false,
  resetFields: ['spec'],
  prepareForUpdate: keepSpec,
  validateUpdate(object, old, errors) {
    validateObjectMetaUpdate(object.metadata, old.metadata, errors);
    checkAcceptedNames(object, errors);
  },
};

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = {
  customresourcedefinitions: definition,
  'customresourcedefinitions/status': status,
};
