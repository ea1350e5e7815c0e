"""Pages of HTML that are whole in themselves, in one style: pictures, and the templates that others extend."""
