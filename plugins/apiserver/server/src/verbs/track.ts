import type { Api } from '../api.ts';
import type { TrackRequest } from '../patcher.ts';

/**
 * Keeps metadata.managedFields of an object as a client gave it, in place. Fields that are empty are owned by nobody, so an object that
 * kept some (see Decoded.keptEmpty) is looked at as it will be encoded.
 */
export function trackFields(api: Api, request: TrackRequest, keptEmpty: boolean | undefined): void {
  const { object, resource } = request;
  if (!keptEmpty) {
    api.patcher.track(request);
    return;
  }
  const given = object.metadata.managedFields;
  const encoded = api.codec.normalize(resource.type, object);
  // an empty list here says: forget who manages what
  if (given && given.length === 0) encoded.metadata.managedFields = given;
  api.patcher.track({ ...request, object: encoded });
  if (encoded.metadata.managedFields) object.metadata.managedFields = encoded.metadata.managedFields;
  else delete object.metadata.managedFields;
}
