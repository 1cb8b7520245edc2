/**
 * The full name of an image, as the runtime stores it: `redis` -> `docker.io/library/redis:latest`.
 * (https://kubernetes.io/docs/concepts/containers/images/#image-names)
 */
export function normalizeImageName(name: string): string {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasHost = first.includes('.') || first.includes(':') || first === 'localhost';
  const host = hasHost ? first : 'docker.io';
  let path = hasHost ? name.slice(slash + 1) : name;
  if (host === 'docker.io' && !path.includes('/')) path = `library/${path}`;
  const tagged = path.includes('@') || path.lastIndexOf(':') > path.lastIndexOf('/');
  return `${host}/${path}${tagged ? '' : ':latest'}`;
}
