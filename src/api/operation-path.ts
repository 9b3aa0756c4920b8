/** Reads the paths of the operation table. Pure. */

/** The names of the parameters in a path: `/sessions/:id/webhooks/:webhook_id` → id, webhook_id. */
export function pathParamsOf(path: string): readonly string[] {
  return [...path.matchAll(/:(\w+)/g)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}

/** A path as OpenAPI writes it: `/sessions/{id}`. */
export const openApiPath = (path: string): string => path.replace(/:(\w+)/g, '{$1}');
