import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { validateAnnotations, validateLabels } from '@kubernel/sdk/api';
import { checkPodAnnotations, checkProfilesAgree } from './pod-annotations.ts';
import { checkPodSpec } from './pod-spec.ts';

/** core.v1.PodTemplateSpec: upstream leaves `metadata` out of the paths of its labels and annotations. */
export function checkPodTemplate(template: Decoded, path: FieldPath, errors: FieldErrors): void {
  const meta: Decoded = template.metadata ?? {};
  const spec: Decoded = template.spec ?? {};
  validateLabels(meta.labels, path.child('labels'), errors);
  validateAnnotations(meta.annotations, path.child('annotations'), errors);
  checkPodAnnotations(meta.annotations, spec, path.child('annotations'), errors);
  checkPodSpec(spec, path.child('spec'), errors, { isPod: false });
  checkProfilesAgree(meta, spec, path.child('spec'), errors);
  if (spec.ephemeralContainers?.length)
    errors.forbidden(path.child('spec', 'ephemeralContainers'), 'ephemeral containers not allowed in pod template');
}
