import type { Validator } from '@kubernel/sdk';
import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { IMMUTABLE, semanticEqual } from '@kubernel/sdk/api';
import { checkEvent } from '../strategy-event.ts';
import { checkNodeSelector, checkToleration, checkTolerations, checkTopologyTerm } from './affinity.ts';
import { printGoForm } from './go-form.ts';
import { checkVolumeSpec } from './persistent-volume.ts';
import { checkClaimSpec } from './persistent-volume-claim.ts';
import { checkPodSpec } from './pod-spec.ts';
import { checkPodTemplate } from './pod-template.ts';
import { checkContainerResources } from './resources.ts';

/** `pair` is `{value, old}`: refused when they differ, printed as upstream prints its internal types. */
function checkImmutableForm(type: string, { value, old }: Decoded, path: FieldPath, errors: FieldErrors): void {
  if (!semanticEqual(value, old)) errors.invalid(path, printGoForm(type, value), IMMUTABLE);
}

/**
 * What is refused, by type name: what other groups embed. The kinds themselves are checked by their strategies.
 * A name with `#immutable` takes a pair of a new and an old value.
 */
export const validators: Readonly<Record<string, Validator>> = {
  'core.v1.PodTemplateSpec': (value, path, errors) => checkPodTemplate(value, path, errors),
  'core.v1.PodSpec': (value, path, errors) => checkPodSpec(value, path, errors, { isPod: false }),
  'core.v1.PersistentVolumeClaimSpec': (value, path, errors) => checkClaimSpec(value, path, errors),
  'core.v1.NodeSelector': (value, path, errors) => checkNodeSelector(value, path, errors),
  'core.v1.PodTemplateSpec#immutable': (pair, path, errors) => checkImmutableForm('core.v1.PodTemplateSpec', pair, path, errors),
  'core.v1.PodSpec#immutable': (pair, path, errors) => checkImmutableForm('core.v1.PodSpec', pair, path, errors),
  'core.v1.ResourceRequirements': (value, path, errors) => checkContainerResources(value, path, errors),
  'core.v1.PersistentVolumeSpec#inline': (value, path, errors) => checkVolumeSpec(value, '', path, errors, true),
  'core.v1.TopologySelectorTerm': (value, path, errors) => void checkTopologyTerm(value, path, errors),
  'core.v1.Toleration': (value, path, errors) => checkToleration(value, path, errors),
  'core.v1.Event#ofEventsGroup': (value, _path, errors) => checkEvent(value, 'reportingController', errors),
  '[]core.v1.Toleration': (value, path, errors) => checkTolerations(value as unknown as Decoded[], path, errors),
};
