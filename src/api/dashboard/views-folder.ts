import { fileURLToPath } from 'node:url';

/** The templates beside package.json, seen from this file's place in the build. */
export const viewsFolder = fileURLToPath(new URL('../../../../views/', import.meta.url));
