import {
  dns1035LabelName,
  dns1123Label,
  dns1123Subdomain,
  labelValue,
  nameIsDNS1035Label,
  nameIsDNSLabel,
  nameIsDNSSubdomain,
  qualifiedName,
} from '../api/names.ts';
import { formatCheck } from '../structural/formats.ts';
import { type CelEnvironment, celOptional } from './engine.ts';
import { namespace } from './lists.ts';

class Format {
  readonly check: (text: string) => readonly string[];
  constructor(check: (text: string) => readonly string[]) {
    this.check = check;
  }
}

const ofSchema =
  (name: string) =>
  (text: string): string[] =>
    formatCheck(name)?.(text) ? [] : [`must be a valid ${name}`];

const FORMATS: Readonly<Record<string, (text: string) => readonly string[]>> = {
  dns1123Label,
  dns1123Subdomain,
  dns1035Label: dns1035LabelName,
  dns1123LabelPrefix: (text) => nameIsDNSLabel(text, true),
  dns1123SubdomainPrefix: (text) => nameIsDNSSubdomain(text, true),
  dns1035LabelPrefix: (text) => nameIsDNS1035Label(text, true),
  qualifiedName,
  labelValue,
  uri: ofSchema('uri'),
  uuid: ofSchema('uuid'),
  byte: ofSchema('byte'),
  date: ofSchema('date'),
  datetime: ofSchema('datetime'),
};

/** Kubernetes' format library: `format.dns1123Label().validate(self)` is none when all is well, else the reasons. */
export function registerFormats(environment: CelEnvironment): void {
  environment.registerType('NamedFormat', Format as never);
  namespace(environment, 'format', (member) => {
    for (const [name, check] of Object.entries(FORMATS)) member(`${name}(): NamedFormat`, () => new Format(check));
    member('named(string): optional<NamedFormat>', (name: string) =>
      celOptional(Object.hasOwn(FORMATS, name) ? new Format(FORMATS[name] as (text: string) => string[]) : undefined),
    );
  });
  environment.registerFunction('NamedFormat.validate(string): optional<list<string>>', (({ check }: Format, text: string) => {
    const reasons = check(text);
    return celOptional(reasons.length > 0 ? [...reasons] : undefined);
  }) as never);
}
