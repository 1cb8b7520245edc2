/**
 * What names, labels, ports and the like may look like. Each check returns the messages a client reads, none when the
 * value is fine (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/).
 */

export const LABEL_VALUE_MAX = 63;
export const DNS_LABEL_MAX = 63;
export const DNS_SUBDOMAIN_MAX = 253;

/** `a message (e.g. 'x',  or 'y', regex used for validation is '…')`, the one form in which patterns are reported. */
export function patternMessage(message: string, pattern: string, ...examples: string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${pattern}')`;
  const list = examples.map((example) => `'${example}', `).join(' or ');
  return `${message} (e.g. ${list}regex used for validation is '${pattern}')`;
}

export const tooManyCharacters = (max: number): string => `must be no more than ${max} characters`;
export const tooManyBytes = (max: number): string => `must be no more than ${max} bytes`;
export const outsideRange = (min: number, max: number): string => `must be between ${min} and ${max}, inclusive`;
export const EMPTY = 'must be non-empty';

/** Length as Go counts it. */
export function byteLength(text: string): number {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return Buffer.byteLength(text);
  return text.length;
}

interface Pattern {
  source: string;
  regexp: RegExp;
  message: string;
}

function pattern(source: string, what: string, ...examples: string[]): Pattern {
  return { source, regexp: new RegExp(`^(?:${source})$`), message: patternMessage(what, source, ...examples) };
}

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const LABEL_UNDERSCORE = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const KEY = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const ENDS = 'and must start and end with an alphanumeric character';

const dnsLabel = pattern(
  LABEL,
  `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', ${ENDS}`,
  'my-name',
  '123-abc',
);
const dnsSubdomain = pattern(
  SUBDOMAIN,
  `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', ${ENDS}`,
  'example.com',
);
const dnsSubdomainUnderscore = pattern(
  `${LABEL_UNDERSCORE}(\\.${LABEL_UNDERSCORE})*`,
  `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', ${ENDS}`,
  'example.com',
);
const dns1035Label = pattern(
  '[a-z]([-a-z0-9]*[a-z0-9])?',
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  'my-name',
  'abc-123',
);
const wildcard = pattern(
  `\\*\\.${SUBDOMAIN}`,
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  '*.example.com',
);
const labelKey = pattern(KEY, `must consist of alphanumeric characters, '-', '_' or '.', ${ENDS}`, 'MyName', 'my.name', '123-abc');
const labelValueText = pattern(
  `(${KEY})?`,
  `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', ${ENDS}`,
  'MyValue',
  'my_value',
  '12345',
);
const percentText = pattern('[0-9]+%', "a valid percent string must be a numeric string followed by an ending '%'", '1%', '93%');
const headerText = pattern('[-A-Za-z0-9]+', "a valid HTTP header must consist of alphanumeric characters or '-'", 'X-Header-Name');
const configKeyText = pattern(
  '[-._a-zA-Z0-9]+',
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  'key.name',
  'KEY_NAME',
  'key-name',
);
const cIdentifierText = pattern(
  '[A-Za-z_][A-Za-z0-9_]*',
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  'my_name',
  'MY_NAME',
  'MyName',
);

function check(value: string, max: number, rule: Pattern, tooLong: (max: number) => string = tooManyCharacters): string[] {
  const messages: string[] = [];
  if (byteLength(value) > max) messages.push(tooLong(max));
  if (!rule.regexp.test(value)) messages.push(rule.message);
  return messages;
}

export function dns1123Label(value: string): string[] {
  const messages = value.length > DNS_LABEL_MAX ? [tooManyCharacters(DNS_LABEL_MAX)] : [];
  if (!dnsLabel.regexp.test(value)) messages.push(dnsSubdomain.regexp.test(value) ? 'must not contain dots' : dnsLabel.message);
  return messages;
}

export const dns1123Subdomain = (value: string): string[] => check(value, DNS_SUBDOMAIN_MAX, dnsSubdomain);
export const dns1123SubdomainWithUnderscore = (value: string): string[] => check(value, DNS_SUBDOMAIN_MAX, dnsSubdomainUnderscore);
export const dns1035LabelName = (value: string): string[] => check(value, DNS_LABEL_MAX, dns1035Label);
export const wildcardSubdomain = (value: string): string[] => check(value, DNS_SUBDOMAIN_MAX, wildcard);
export const labelValue = (value: string): string[] => check(value, LABEL_VALUE_MAX, labelValueText, tooManyBytes);
export const percent = (value: string): string[] => (percentText.regexp.test(value) ? [] : [percentText.message]);
export const httpHeaderName = (value: string): string[] => (headerText.regexp.test(value) ? [] : [headerText.message]);
export const cIdentifier = (value: string): string[] => (cIdentifierText.regexp.test(value) ? [] : [cIdentifierText.message]);

/** A label key: `name` or `prefix/name`. Annotation keys follow it in any case. */
export function qualifiedName(value: string): string[] {
  const parts = value.split('/');
  if (parts.length > 2)
    return [`a valid label key ${labelKey.message} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const messages: string[] = [];
  const name = parts[parts.length - 1] ?? '';
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') messages.push(`prefix part ${EMPTY}`);
    else for (const message of check(prefix, DNS_SUBDOMAIN_MAX, dnsSubdomain, tooManyBytes)) messages.push(`prefix part ${message}`);
  }
  if (name === '') messages.push(`name part ${EMPTY}`);
  else if (byteLength(name) > 63) messages.push(`name part ${tooManyBytes(63)}`);
  if (!labelKey.regexp.test(name)) messages.push(`name part ${labelKey.message}`);
  return messages;
}

/** A key of a ConfigMap or Secret, which becomes a file name. */
export function configMapKey(value: string): string[] {
  const messages = check(value, DNS_SUBDOMAIN_MAX, configKeyText);
  if (value === '.') messages.push("must not be '.'");
  else if (value === '..') messages.push("must not be '..'");
  else if (value.startsWith('..')) messages.push("must not start with '..'");
  return messages;
}

export function envVarName(value: string): string[] {
  const messages = value === '' ? [`environment variable name ${EMPTY}`] : [];
  if (!/^[\x20-\x3c\x3e-\x7e]*$/.test(value)) {
    messages.push("a valid environment variable name must consist only of printable ASCII characters other than '='");
  }
  return messages;
}

export const portNumber = (port: number): string[] => (port >= 1 && port <= 65535 ? [] : [outsideRange(1, 65535)]);

/** An IANA service name (RFC 6335): at most 15 characters with at least one letter. */
export function portName(value: string): string[] {
  const messages: string[] = [];
  if (value.length > 15) messages.push(tooManyCharacters(15));
  if (!/^[-a-z0-9]+$/.test(value)) messages.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(value)) messages.push('must contain at least one letter (a-z)');
  if (value.includes('--')) messages.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) messages.push('must not begin or end with a hyphen');
  return messages;
}

const ID_MAX = 2 ** 31 - 1;
/** A Linux user or group id. */
export const userOrGroupId = (id: number): string[] => (id >= 0 && id <= ID_MAX ? [] : [outsideRange(0, ID_MAX)]);

/** How metadata.name and generateName are checked: a generated name may end in a dash, as a suffix follows. */
export type NameCheck = (name: string, prefix: boolean) => string[];

function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}

export const nameIsDNSSubdomain: NameCheck = (name, prefix) => dns1123Subdomain(prefix ? maskTrailingDash(name) : name);
export const nameIsDNSLabel: NameCheck = (name, prefix) => dns1123Label(prefix ? maskTrailingDash(name) : name);
export const nameIsDNS1035Label: NameCheck = (name, prefix) => dns1035LabelName(prefix ? maskTrailingDash(name) : name);

/** The least a name must be: one segment of a URL path. */
export const nameIsPathSegment: NameCheck = (name, prefix) => {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`];
  const messages: string[] = [];
  for (const char of ['/', '%']) if (name.includes(char)) messages.push(`may not contain '${char}'`);
  return messages;
};

const REASON = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';

/** The reason of a condition: one word. */
export const conditionReason = (value: string): string[] =>
  new RegExp(`^${REASON}$`).test(value)
    ? []
    : [
        patternMessage(
          "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
          REASON,
          'my_name',
          'MY_NAME',
          'MyName',
          'ReasonA,ReasonB',
          'ReasonA:ReasonB',
        ),
      ];
