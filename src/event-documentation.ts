/** The documentation of events, from the contract. */
import { z } from 'zod';
import { eventNames, events } from './contract/events.ts';

const markers = { begin: '<!-- events:begin -->', end: '<!-- events:end -->' };

/** A document with its list of events renewed. Throws when it has no markers for it. */
export function renderEvents(text: string): string {
  const begin = text.indexOf(markers.begin);
  const end = text.indexOf(markers.end);
  if (begin === -1 || end < begin) throw new Error(`the document has no ${markers.begin} … ${markers.end}`);
  return `${text.slice(0, begin + markers.begin.length)}\n\n${renderList()}\n${text.slice(end)}`;
}

function renderList(): string {
  return eventNames
    .map((name) => {
      const { when, data } = events[name];
      const sentence = `\`${name}\`${when.slice(name.length)}`;
      return `${sentence}\n\n${fieldsOf(schema.parse(z.toJSONSchema(data))).join('\n')}\n`;
    })
    .join('\n');
}

/** As much of JSON Schema as the contract's schemas come to. */
interface Schema {
  readonly type?: string | readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  readonly items?: Schema | undefined;
  readonly anyOf?: readonly Schema[] | undefined;
  readonly enum?: readonly string[] | undefined;
}

const schema: z.ZodType<Schema> = z.lazy(() =>
  z.object({
    type: z.union([z.string(), z.array(z.string())]).optional(),
    description: z.string().optional(),
    properties: z.record(z.string(), schema).optional(),
    items: schema.optional(),
    anyOf: z.array(schema).optional(),
    enum: z.array(z.string()).optional(),
  }),
);

function fieldsOf({ properties = {} }: Schema): readonly string[] {
  return Object.entries(properties).map(([name, field]) => {
    const description = field.description ?? field.anyOf?.find((each) => each.description !== undefined)?.description;
    return `- \`${name}\`: ${typeOf(field)}${description === undefined ? '' : `. ${description}`}`;
  });
}

/** A type in words: `text or null`, `list of {jid, lid}`. */
function typeOf({ type, properties, items, anyOf, enum: values }: Schema): string {
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' or ');
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(', ');
  if (properties !== undefined) return `{${Object.keys(properties).join(', ')}}`;
  if (type === 'array') return items === undefined ? 'list' : `list of ${typeOf(items)}`;
  if (type === undefined) return 'anything';
  return [type]
    .flat()
    .map((each) => words[each] ?? each)
    .join(' or ');
}

const words: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  boolean: 'true or false',
};
