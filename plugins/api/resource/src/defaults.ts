import type { DefaultFunction } from '@kubernel/sdk';

const request: DefaultFunction = (value) => {
  value.allocationMode ||= 'ExactCount';
  if (value.allocationMode === 'ExactCount') value.count ||= 1;
};

/** What is filled in when a client leaves it out, by type name. */
export const defaults: Readonly<Record<string, DefaultFunction>> = {
  'resource.v1.ExactDeviceRequest': request,
  'resource.v1.DeviceSubRequest': request,
  'resource.v1.DeviceTaint': (taint) => {
    taint.timeAdded ??= `${new Date().toISOString().slice(0, 19)}Z`;
  },
};
