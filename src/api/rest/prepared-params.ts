/** What the API makes of params before a child sees them: children neither touch pictures nor take frames beyond 1 MiB. */
import type { ChildOperationName, Params } from '../../contract/index.ts';
import { squarePicture } from '../square-picture.ts';

type Preparations = { readonly [N in ChildOperationName]?: (params: Params<N>) => Promise<Params<N>> };

const preparations: Preparations = {
  setGroupPicture: async (params) => {
    if (params.base64 === null) return params;
    const picture = Buffer.from(params.base64.replace(/^data:[^,]{0,100},/, ''), 'base64');
    return { ...params, base64: (await squarePicture(picture, 'base64')).toString('base64') };
  },
};

export async function preparedParams<N extends ChildOperationName>(name: N, params: Params<N>): Promise<Params<N>> {
  const prepare = preparations[name];
  return prepare === undefined ? params : prepare(params);
}
