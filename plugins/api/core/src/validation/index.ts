import type { Validator } from '@kubernel/sdk';
import type { Decoded } from '@kubernel/sdk/api';
import { checkNodeSelector, checkTolerations } from './affinity.ts';
import { checkClaimSpec } from './persistent-volume-claim.ts';
import { checkPodSpec } from './pod-spec.ts';
import { checkPodTemplate } from './pod-template.ts';

/** What is refused, by type name: what other groups embed. The kinds themselves are checked by their strategies. */
export const validators: Readonly<Record<string, Validator>> = {
  'core.v1.PodTemplateSpec': (value, path, errors) => checkPodTemplate(value, path, errors),
  'core.v1.PodSpec': (value, path, errors) => checkPodSpec(value, path, errors, { isPod: false }),
  'core.v1.PersistentVolumeClaimSpec': (value, path, errors) => checkClaimSpec(value, path, errors),
  'core.v1.NodeSelector': (value, path, errors) => checkNodeSelector(value, path, errors),
  '[]core.v1.Toleration': (value, path, errors) => checkTolerations(value as unknown as Decoded[], path, errors),
};
