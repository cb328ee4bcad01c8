"use strict";
window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  tryItOutEnabled: true,
  // A token is kept as long as the page is open, and no longer.
  persistAuthorization: false,
  // No foreign host judges the description.
  validatorUrl: null,
  ...window.docsOptions,
});
