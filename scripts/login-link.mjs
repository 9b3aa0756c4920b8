// `npm run login-link`: prints a link that signs a browser in to the dashboard of the running gateway, once.
import { fail, post } from './ask-gateway.mjs';

try {
  const { url } = await (await post('/login-links')).json();
  console.log(url);
} catch (error) {
  fail('No link', error);
}
